/** Where the record of permits is kept: without a cluster beside the history, since nobody else leads then. */
import type { Journal } from '../model.ts'
import type { Book } from './book.ts'
import { formatBook, parseBook } from './book-schema.ts'

/** What stood there when it was read, to be handed back with what is to stand there next. */
export interface ReadBook {
  readonly book: Book
  /** Undefined when there is none yet. */
  readonly version: string | undefined
}

export interface BookStore {
  /** As of now, never from a cache. Rejects when there is no answer within seconds, or the record is damaged. */
  read(): Promise<ReadBook>
  /** Rejects with BookConflict when anything was written since `before` was read; any other error may come after the write. */
  write(before: ReadBook, next: Book): Promise<void>
}

export class BookConflict extends Error {
  override name = 'BookConflict'

  constructor() {
    super('somebody else has written to the record of permits')
  }
}

const FACT = 'permits'

export function createFactBook(store: Pick<Journal, 'readFact' | 'writeFact'>): BookStore {
  return {
    read: async () => {
      const text = store.readFact(FACT) ?? undefined
      return { book: parseBook(text), version: text }
    },
    write: async ({ version }, next) => {
      if ((store.readFact(FACT) ?? undefined) !== version) throw new BookConflict()
      store.writeFact(FACT, formatBook(next))
    },
  }
}
