/** Lets go of what is older than it should be kept, once a day and soon after each start. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { HeadSigner } from '../audit/head.ts'
import type { History, Retention } from './history.ts'

const DAY_MS = 86_400_000
/** After a start there is more urgent work. */
const FIRST_AFTER_MS = 10 * 60_000

export interface HousekeepingInit {
  readonly history: Pick<History, 'retain'>
  /** At the time when it is tidied. */
  readonly keep: () => Retention
  readonly signer: HeadSigner
  readonly log: Log
}

export class Housekeeping {
  readonly #init: HousekeepingInit
  #timer: NodeJS.Timeout | undefined
  /** The round that is under way. */
  #round: Promise<void> = Promise.resolve()

  constructor(init: HousekeepingInit) {
    this.#init = init
  }

  start(): void {
    this.#next(FIRST_AFTER_MS)
  }

  /** Resolves when nothing is deleted any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#round
  }

  #next(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#tidy().then(() => {
        if (this.#timer !== undefined) this.#next(DAY_MS)
      })
    }, afterMs)
    this.#timer.unref()
  }

  /** What cannot go now is kept for another day. */
  async #tidy(): Promise<void> {
    const { history, signer, log } = this.#init
    try {
      const keep = this.#init.keep()
      await history.retain(new Date().toISOString(), keep, signer)
      log.info({ ...keep }, 'history tidied')
    } catch (error) {
      log.error({ err: messageOf(error) }, 'history not tidied')
    }
  }
}
