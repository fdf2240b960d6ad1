/** The record of permits as several aggregators write it: compare-and-swap, with replies that get lost. */
import { type Book, EMPTY_BOOK } from '../../aggregator/permits/book.ts'
import { formatBook, parseBook } from '../../aggregator/permits/book-schema.ts'

export class SimRecord {
  #book: Book = EMPTY_BOOK
  #version = 0

  get book(): Book {
    return this.#book
  }

  get version(): number {
    return this.#version
  }

  /** False when somebody else has written since `version`. */
  write(version: number, next: Book): boolean {
    if (version !== this.#version) return false
    // As every reader gets it, and never what cannot be read again.
    this.#book = parseBook(formatBook(next))
    this.#version++
    return true
  }
}
