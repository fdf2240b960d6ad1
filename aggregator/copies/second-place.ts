/**
 * Whether what this aggregator has put on record is in a second place, too: another aggregator's disk, or PostgreSQL. What
 * people decide is answered then; when it takes too long, the answer, an alarm and the metrics say so.
 */
import type { Log } from '../../common/log.ts'
import type { StoredEvent } from '../event-model.ts'
import { everySo } from '../retried.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { SingleCopyAlarm } from './alarm.ts'
import type { CopiesView } from './view.ts'

/** How late it may be seen that somebody has waited long enough. */
const LOOK_EVERY_MS = 100

export interface SecondPlaceInit {
  readonly journal: Pick<SqliteJournal, 'query' | 'byId'>
  /** What is to have a second copy, by name; empty: none is to be expected. */
  others(): readonly string[]
  leads(): boolean
  /** Events begin to have one copy alone, or have two again. */
  tell(isSingle: boolean, behind: number, others: readonly string[]): void
  readonly log: Log
}

export class SecondPlace {
  readonly #init: SecondPlaceInit
  readonly #acknowledgements = new Acknowledgements()
  readonly #alarm = new SingleCopyAlarm()
  #stop: () => void = () => {}
  #isSingle = false

  constructor(init: SecondPlaceInit) {
    this.#init = init
    this.#alarm.recorded(init.journal.query({ limit: 1 })[0]?.seq ?? 0, performance.now())
  }

  start(): void {
    const turns = [[LOOK_EVERY_MS, () => this.#look()]] as const
    this.#stop = everySo(turns, 'it is not looked whether events have a second copy', this.#init.log)
  }

  stop(): void {
    this.#stop()
    this.#acknowledgements.end(this.#init.others().length > 0)
  }

  /** An event went on record. */
  stored({ seq }: Pick<StoredEvent, 'seq'>): void {
    this.#alarm.recorded(seq, performance.now())
  }

  /** All up to this place of the journal is there, too; less than before, when what was there is lost. */
  has(upTo: number): void {
    this.#acknowledgements.copied(upTo)
    this.#alarm.copied(upTo, performance.now())
  }

  /**
   * Resolves when the event is in a second place, too, with false; or after a second with true: it is a single copy. At once
   * with false where no second copy is to be expected.
   */
  async acknowledged(eventId: string): Promise<boolean> {
    const { journal, others } = this.#init
    const seq = journal.byId(eventId)?.seq
    if (seq === undefined || others().length === 0) return false
    return await this.#acknowledgements.of(seq, performance.now())
  }

  view(): CopiesView {
    const others = this.#init.others()
    return { others, behind: others.length === 0 ? 0 : this.#alarm.behind, isSingle: this.#isSingle }
  }

  #look(): void {
    const { others: named, leads, tell } = this.#init
    const nowMs = performance.now()
    this.#acknowledgements.tick(nowMs)
    const others = named()
    this.#isSingle = others.length > 0 && leads() && this.#alarm.look(nowMs)
    if (leads()) tell(this.#isSingle, this.#alarm.behind, others)
  }
}
