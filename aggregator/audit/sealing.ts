/** Signs the end of the chain now and then: after so many events, after some time, and at the end of this life. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { HeadSigner } from './head.ts'
import type { SealedTrail } from './trail.ts'

/** What comes after the last head can still be written anew without a trace: so many events at most. */
const EVENTS_MAX = 100
/** And for so long at most, ms. */
const SEAL_EVERY_MS = 60_000

export interface SealingInit {
  readonly trail: SealedTrail
  readonly signer: HeadSigner
  readonly log: Log
}

export class Sealing {
  readonly #init: SealingInit
  readonly #timer: NodeJS.Timeout
  #unsealed: number

  constructor(init: SealingInit) {
    this.#init = init
    this.#unsealed = init.trail.unsealed()
    this.#timer = setInterval(() => this.#seal(), SEAL_EVERY_MS)
  }

  /** An event was stored. */
  stored(): void {
    if (++this.#unsealed >= EVENTS_MAX) this.#seal()
  }

  /** Signs for what was stored until now. */
  stop(): void {
    clearInterval(this.#timer)
    this.#seal()
  }

  /** A head that cannot be signed keeps nothing from being stored. It is in the log too, out of reach of the store. */
  #seal(): void {
    const { trail, signer, log } = this.#init
    this.#unsealed = 0
    try {
      const head = trail.seal(signer)
      if (head !== undefined) log.info({ seq: head.seq, hash: head.hash }, 'history signed')
    } catch (error) {
      log.error({ err: messageOf(error) }, 'history not signed: `starling audit verify` says what does not fit')
    }
  }
}
