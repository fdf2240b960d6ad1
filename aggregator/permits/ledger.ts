/**
 * Changes of the record of permits, one after the other, each by compare-and-swap: what is decided on one state of it is
 * written over that state or not at all, whoever else leads or believes that it does.
 */
import { StarlingError } from '../../common/errors.ts'
import type { Book } from './book.ts'
import { formatBook } from './book-schema.ts'
import { BookConflict, type BookStore } from './book-store.ts'

/** Another leader writes once or twice before it knows that it is none. */
const ATTEMPTS_MAX = 5

export interface LedgerInit {
  readonly store: BookStore
  /** Of this leadership; undefined while this aggregator may write nothing. Asked right before each write. */
  term(): number | undefined
}

/** What was to be decided is for another to decide. */
export class NotLeading extends StarlingError {
  override name = 'NotLeading'

  constructor(why = 'this aggregator leads no more') {
    super(why)
  }
}

export class Ledger {
  readonly #init: LedgerInit
  #queue: Promise<unknown> = Promise.resolve()
  #known: Book | undefined

  constructor(init: LedgerInit) {
    this.#init = init
  }

  /** As last read or written; undefined before that. */
  get known(): Book | undefined {
    return this.#known
  }

  /**
   * Brings `decide` about, which is asked again whenever somebody else wrote in between, and is written down when this
   * returns. It returns the book itself to change nothing. Rejects with
   * NotLeading, and with another error when it is not known whether it was written.
   */
  async change(decide: (book: Book) => Book): Promise<Book> {
    const turn = this.#queue.then(() => this.#change(decide))
    this.#queue = turn.catch(() => {})
    return await turn
  }

  async #change(decide: (book: Book) => Book): Promise<Book> {
    const { store } = this.#init
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const before = await store.read()
      const term = this.#requireTerm(before.book)
      this.#known = before.book
      const decided = decide(before.book)
      if (decided === before.book) return decided
      const next = { ...decided, term }
      try {
        await store.write(before, next)
      } catch (error) {
        if (error instanceof BookConflict) continue
        // The reply may be lost, and what was asked done.
        if (formatBook((await store.read()).book) !== formatBook(next)) throw error
      }
      this.#known = next
      return next
    }
    throw new BookConflict()
  }

  #requireTerm(book: Book): number {
    const term = this.#init.term()
    if (term === undefined) throw new NotLeading()
    if (book.term > term) throw new NotLeading(`another aggregator leads by now, under term ${book.term}`)
    return term
  }
}
