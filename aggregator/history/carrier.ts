/**
 * Carries the journal's events to a history elsewhere, in their order, and then the records that are held for it. How far it is, is
 * a fact of the journal: after a crash the last page is carried again, and the ids tell that it is there.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { counted } from '../../common/counted.ts'
import { messageOf, StarlingError } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { HeadSigner } from '../audit/head.ts'
import { TRAIL_PAGE } from '../audit/trail.ts'
import type { Event } from '../event-model.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { Carried } from './carried.ts'
import type { HeldRecord } from './held.ts'
import type { PostgresHistory } from './postgres/history.ts'

/** What gathers for so long travels together, ms. */
const GATHER_MS = 200
/** After a failure, doubled up to the second, ms: until it is back, what is decided is on one disk. */
const RETRY_MS = 1_000
const RETRY_MAX_MS = 5_000
/** That nothing gets through is said once, and again after so long. */
const TELL_AGAIN_MS = 86_400_000
/** The end of the chain there is signed as often as that of the journal. */
const SEAL_EVENTS = 100
const SEAL_EVERY_MS = 60_000
/** So often it is looked whether what was carried is still there. */
const LOOK_EVERY_MS = 60_000
/** Of so long nobody need hear, ms: a page takes less, and a server that was started again is back by then. */
const STALLED_AFTER_MS = 10_000
/** So many events wait in the journal for longer than they are to be kept, at some 260 bytes each. */
const WAITING_MAX = 10_000_000

export interface CarrierInit {
  readonly journal: Pick<SqliteJournal, 'trail' | 'held' | 'readFact' | 'writeFact' | 'together'>
  readonly history: Pick<PostgresHistory, 'carry' | 'standing' | 'rename' | 'keepMeasures' | 'keepInspection' | 'trail'>
  readonly signer: HeadSigner
  /** What people are to be told of goes on record, too. */
  readonly record: (event: Omit<Event, 'at'>) => void
  /** All up to this place of the journal is there; less than before, when it was set back. */
  readonly carried: (upTo: number) => void
  readonly log: Log
  readonly waitingMax?: number
}

export class Carrier {
  readonly #init: CarrierInit
  readonly #carried: Carried
  readonly #ended = new AbortController()
  #run: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #unsealed = 0
  #sealedAt = Number.NEGATIVE_INFINITY
  /** Since it last got through. */
  #failures = 0
  #toldAt = Number.NEGATIVE_INFINITY
  /** What was there before this, by a clock that is never set, is carried. */
  #behindSince = Number.NEGATIVE_INFINITY

  constructor(init: CarrierInit) {
    this.#init = init
    this.#carried = new Carried(init.journal)
  }

  /** How many events of the journal are not behind yet. */
  get lag(): number {
    const { first, earlier, given } = this.#init.journal.trail.frame()
    return given - (this.#carried.events === 0 ? first - 1 - earlier : this.#carried.events)
  }

  /** How many records wait. */
  get recordsLag(): number {
    return this.#init.journal.held.waiting(this.#carried.records)
  }

  /** From this place on the journal keeps its events, however old. */
  get keepFrom(): number {
    const { journal, waitingMax = WAITING_MAX } = this.#init
    return Math.max(this.#carried.events, journal.trail.frame().given - waitingMax) + 1
  }

  /** What waits, and why, when something has been behind for a while; else null. */
  get stalled(): string | null {
    const { lag, recordsLag } = this
    if (lag + recordsLag === 0 || performance.now() - this.#behindSince < STALLED_AFTER_MS) return null
    const events = lag > 0 ? [counted(lag, 'event')] : []
    const records = recordsLag > 0 ? [counted(recordsLag, 'record')] : []
    const why = this.#failures > 0 ? 'it takes none' : 'on the way'
    return `${[...events, ...records].join(' and ')} not in PostgreSQL yet: ${why}`
  }

  start(): void {
    this.#init.carried(this.#carried.events)
    this.look()
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref()
  }

  /** There may be something to carry. Returns at once. */
  look(): void {
    if (this.#run !== undefined || this.#ended.signal.aborted) return
    this.#behindSince = performance.now()
    this.#run = this.#carryAll().finally(() => {
      this.#run = undefined
      // What came while the last page was on its way.
      if (this.#failures === 0 && this.lag + this.recordsLag > 0) this.look()
    })
  }

  /** What cursors of the history there name it by. Rejects while it is not the one that was carried to, or cannot be asked. */
  async storeName(): Promise<string> {
    const { name, isAsSeen } = await this.#init.history.standing(this.#carried.seen)
    if (isAsSeen) return name
    this.look()
    throw new StarlingError('the history in PostgreSQL was set back', {
      remedy: 'ask again in a moment, without a cursor: what is missing is carried there again',
    })
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#ended.abort()
    await this.#run
  }

  /** Until all is there, or this ends. */
  async #carryAll(): Promise<void> {
    const { signal } = this.#ended
    while (await this.#pause(this.#failures === 0 ? GATHER_MS : backOff(this.#failures))) {
      try {
        while (!signal.aborted && (await this.#carryPage()));
        while (!signal.aborted && (await this.#carryRecord()));
        await this.#seal()
        if (this.#failures > 0) this.#init.log.info({}, 'history carried: PostgreSQL takes it again')
        this.#failures = 0
        this.#toldAt = Number.NEGATIVE_INFINITY
        return
      } catch (error) {
        this.#failures++
        const fields = { waiting: this.lag, records: this.recordsLag, err: messageOf(error) }
        const isToldAgain = performance.now() - this.#toldAt > TELL_AGAIN_MS
        if (isToldAgain) this.#toldAt = performance.now()
        if (isToldAgain) this.#init.log.error(fields, 'history not carried: it waits in the journal')
        else this.#init.log.debug(fields, 'history not carried')
      }
    }
  }

  /** Whether there may be more. Also without any, it is looked whether what was carried is still there. */
  async #carryPage(): Promise<boolean> {
    const { journal, history } = this.#init
    const carried = this.#carried
    const lookedAt = performance.now()
    const rows = journal.trail.rows(carried.events)
    const [first, last] = [rows[0], rows.at(-1)]
    if (first !== undefined && carried.events > 0 && first.seq > carried.events + 1) {
      const gone = counted(first.seq - carried.events - 1, 'event')
      this.#tellLoss(`${gone} before ${first.at}`, { from: carried.events + 1, until: first.seq - 1 })
      carried.events = first.seq - 1
    }
    const events = rows.map(({ seq: _, hash: __, data, ...event }): Event => ({ ...event, data: JSON.parse(data) }))
    const there = await history.carry(events, carried.seen)
    if (there === null) {
      await this.#beginAgain()
      return true
    }
    this.#unsealed += there.fresh
    journal.together(() => {
      carried.seen = there.end
      if (last !== undefined) carried.events = last.seq
    })
    this.#init.carried(carried.events)
    if (rows.length < TRAIL_PAGE) this.#behindSince = lookedAt
    return rows.length === TRAIL_PAGE
  }

  /** Whether there was one. */
  async #carryRecord(): Promise<boolean> {
    const { held } = this.#init.journal
    const carried = this.#carried
    const next = held.next(carried.records)
    if (next === undefined) return false
    const gone = carried.records === 0 ? 0 : next.place - carried.records - 1
    if (gone > 0) {
      this.#tellLoss(`${counted(gone, 'record')} of measures and inspections`, { records: gone })
      carried.records = next.place - 1
    }
    await this.#keep(next.record)
    carried.records = next.place
    held.carried(next.place)
    return true
  }

  #keep(record: HeldRecord): Promise<void> {
    const { history } = this.#init
    return record.kind === 'hours' ? history.keepMeasures(record.hours) : history.keepInspection(record.run)
  }

  /** What is there is not what was carried: a backup was restored, or it is another database. */
  async #beginAgain(): Promise<void> {
    const { history, log, record } = this.#init
    const { seen } = this.#carried
    await history.rename()
    record({
      id: `set-back/${randomUUID()}`,
      kind: 'damaged',
      node: '',
      tone: 'act',
      summary: `the history in PostgreSQL was set back: its event ${seen?.seq} is not what it was; what the journal has is carried again`,
      causedBy: '',
      data: { seen },
    })
    this.#carried.beginAgain()
    this.#init.carried(0)
    log.error({ seen }, 'the history in PostgreSQL was set back: what the journal has is carried again')
  }

  #tellLoss(what: string, data: Event['data']): void {
    const summary = `${what} were let go of before PostgreSQL had them: it was away for too long`
    this.#init.record({
      id: `lost/${randomUUID()}`,
      kind: 'damaged',
      node: '',
      tone: 'act',
      summary,
      causedBy: '',
      data,
    })
    this.#init.log.error(data, `history lost: ${summary}`)
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
