/** The record of permits in memory, for several aggregators at once. Nothing but its version decides who writes. */
import { type Book, EMPTY_BOOK } from '../../../aggregator/permits/book.ts'
import { formatBook, parseBook } from '../../../aggregator/permits/book-schema.ts'
import { BookConflict, type BookStore, type ReadBook } from '../../../aggregator/permits/book-store.ts'

export class FakeBook implements BookStore {
  /** Makes the next write fail after it was, or was not, carried out. */
  failing: 'lost-reply' | 'lost-request' | undefined
  isDown = false
  writes = 0
  /** Called once, between what was decided on a read and its writing down. */
  beforeWrite: (() => Promise<void>) | undefined
  #text: string | undefined

  get book(): Book {
    return this.#text === undefined ? EMPTY_BOOK : parseBook(this.#text)
  }

  get #version(): string | undefined {
    return this.writes === 0 ? undefined : String(this.writes)
  }

  async read(): Promise<ReadBook> {
    if (this.isDown) throw new Error('nobody answers')
    return { book: this.book, version: this.#version }
  }

  async write({ version }: ReadBook, next: Book): Promise<void> {
    const { failing, beforeWrite } = this
    this.failing = undefined
    this.beforeWrite = undefined
    await beforeWrite?.()
    if (failing === 'lost-request') throw new Error('no answer')
    if (version !== this.#version) throw new BookConflict()
    this.#text = formatBook(next)
    this.writes++
    if (failing === 'lost-reply') throw new Error('no answer')
  }
}
