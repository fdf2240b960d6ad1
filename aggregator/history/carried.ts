/** How far the journal is carried to a history elsewhere, as facts of the journal. */
import type { SqliteJournal } from '../store/sqlite.ts'
import type { ChainEnd } from './postgres/seen.ts'

const EVENTS = 'history/carried'
const RECORDS = 'history/carried-records'
const SEEN = 'history/seen'

export class Carried {
  readonly #journal: Pick<SqliteJournal, 'readFact' | 'writeFact' | 'together'>

  constructor(journal: Pick<SqliteJournal, 'readFact' | 'writeFact' | 'together'>) {
    this.#journal = journal
  }

  /** The last event's place in the journal; 0 when it begins at the beginning. */
  get events(): number {
    return Number(this.#journal.readFact(EVENTS) ?? 0)
  }

  set events(place: number) {
    this.#journal.writeFact(EVENTS, String(place))
  }

  /** The last held record's place. */
  get records(): number {
    return Number(this.#journal.readFact(RECORDS) ?? 0)
  }

  set records(place: number) {
    this.#journal.writeFact(RECORDS, String(place))
  }

  /** The end of the history there, when it was last looked at. */
  get seen(): ChainEnd | undefined {
    const [seq, hash] = (this.#journal.readFact(SEEN) ?? '').split(' ')
    return hash === undefined ? undefined : { seq: Number(seq), hash }
  }

  set seen(end: ChainEnd | undefined) {
    this.#journal.writeFact(SEEN, end === undefined ? '' : `${end.seq} ${end.hash}`)
  }

  /** All is carried again. */
  beginAgain(): void {
    this.#journal.together(() => {
      this.events = 0
      this.records = 0
      this.seen = undefined
    })
  }
}
