/**
 * Carries the journal's events to a history elsewhere, in their order. How far it is, is a fact of the journal: after a crash the
 * last page is carried again, and the ids tell that it is there.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { counted } from '../../common/counted.ts'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { HeadSigner } from '../audit/head.ts'
import { TRAIL_PAGE } from '../audit/trail.ts'
import type { Event } from '../event-model.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import type { PostgresHistory } from './postgres/history.ts'

const FACT = 'history/carried'
/** What gathers for so long travels together, ms. */
const GATHER_MS = 200
/** After a failure, doubled up to the second, ms. */
const RETRY_MS = 1_000
const RETRY_MAX_MS = 30_000
/** The end of the chain there is signed as often as that of the journal. */
const SEAL_EVENTS = 100
const SEAL_EVERY_MS = 60_000
/** Of so long nobody need hear, ms: a page takes less, and a server that was started again is back by then. */
const STALLED_AFTER_MS = 10_000

export interface CarrierInit {
  readonly journal: Pick<SqliteJournal, 'trail' | 'readFact' | 'writeFact'>
  readonly history: Pick<PostgresHistory, 'append' | 'trail'>
  readonly signer: HeadSigner
  readonly log: Log
}

export class Carrier {
  readonly #init: CarrierInit
  readonly #ended = new AbortController()
  #run: Promise<void> | undefined
  #unsealed = 0
  #sealedAt = Number.NEGATIVE_INFINITY
  /** Since it last got through. */
  #failures = 0
  /** What was there before this, by a clock that is never set, is carried. */
  #behindSince = Number.NEGATIVE_INFINITY

  constructor(init: CarrierInit) {
    this.#init = init
  }

  /** How many places of the journal are not behind yet. */
  get lag(): number {
    return this.#init.journal.trail.frame().given - this.#carried
  }

  /** That, and why, when something has been behind for a while; else null. */
  get stalled(): string | null {
    const { lag } = this
    if (lag === 0 || performance.now() - this.#behindSince < STALLED_AFTER_MS) return null
    const why = this.#failures > 0 ? 'it takes none' : 'on the way'
    return `${counted(lag, 'event')} not in PostgreSQL yet: ${why}`
  }

  /** There may be something to carry. Returns at once. */
  look(): void {
    if (this.#run !== undefined || this.#ended.signal.aborted) return
    this.#behindSince = performance.now()
    this.#run = this.#carryAll().finally(() => {
      this.#run = undefined
      // What came while the last page was on its way.
      if (this.#failures === 0 && this.lag > 0) this.look()
    })
  }

  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#run
  }

  get #carried(): number {
    return Number(this.#init.journal.readFact(FACT) ?? 0)
  }

  /** Until all is there, or this ends. */
  async #carryAll(): Promise<void> {
    const { signal } = this.#ended
    while (await this.#pause(this.#failures === 0 ? GATHER_MS : backOff(this.#failures))) {
      try {
        while (!signal.aborted && (await this.#carryPage()));
        await this.#seal()
        if (this.#failures > 0) this.#init.log.info({}, 'history carried: PostgreSQL takes it again')
        this.#failures = 0
        return
      } catch (error) {
        const fields = { waiting: this.lag, err: messageOf(error) }
        if (this.#failures++ === 0) this.#init.log.error(fields, 'history not carried: it waits in the journal')
        else this.#init.log.debug(fields, 'history not carried')
      }
    }
  }

  /** Whether there was anything. */
  async #carryPage(): Promise<boolean> {
    const { journal, history } = this.#init
    const lookedAt = performance.now()
    const rows = journal.trail.rows(this.#carried)
    const last = rows.at(-1)
    if (last === undefined) return false
    const events = rows.map(({ seq: _, hash: __, data, ...event }): Event => ({ ...event, data: JSON.parse(data) }))
    this.#unsealed += (await history.append(events)).length
    journal.writeFact(FACT, String(last.seq))
    if (rows.length < TRAIL_PAGE) this.#behindSince = lookedAt
    return true
  }

  async #seal(): Promise<void> {
    const isDue = performance.now() - this.#sealedAt > SEAL_EVERY_MS || this.#unsealed >= SEAL_EVENTS
    if (this.#unsealed === 0 || !isDue) return
    await this.#init.history.trail.seal(this.#init.signer)
    this.#unsealed = 0
    this.#sealedAt = performance.now()
  }

  /** False when this ended in between. */
  async #pause(ms: number): Promise<boolean> {
    await wait(ms, undefined, { signal: this.#ended.signal, ref: false }).catch(() => {})
    return !this.#ended.signal.aborted
  }
}

function backOff(failures: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (failures - 1))
}
