/** What every BookStore must do, whatever is behind it: the fact of a history, the one in memory, a real API server. */
import { describe, expect, test } from 'vitest'
import { type Book, EMPTY_BOOK } from '../../../aggregator/permits/book.ts'
import { BookConflict, type BookStore } from '../../../aggregator/permits/book-store.ts'

/** `open` gives a store that holds nothing yet. */
export function bookConformance(name: string, open: () => Promise<BookStore>): void {
  describe(`${name} keeps the contract of a BookStore`, () => {
    test('has an empty one, then what was written over what was read', async () => {
      const store = await open()
      const empty = await store.read()
      expect(empty.book).toEqual(EMPTY_BOOK)
      await store.write(empty, bookOf(1))
      const first = await store.read()
      expect(first.book).toEqual(bookOf(1))
      await store.write(first, bookOf(2))
      expect((await store.read()).book).toEqual(bookOf(2))
    })

    test('refuses what was decided on an earlier state, and keeps the one there is', async () => {
      const store = await open()
      const empty = await store.read()
      await store.write(empty, bookOf(1))
      await expect(store.write(empty, bookOf(9))).rejects.toBeInstanceOf(BookConflict)
      const first = await store.read()
      await store.write(first, bookOf(2))
      await expect(store.write(first, bookOf(9))).rejects.toBeInstanceOf(BookConflict)
      expect((await store.read()).book).toEqual(bookOf(2))
    })
  })
}

const AT = '2026-01-31T12:00:00.000Z'

const GRANT = {
  permit: {
    id: 'permit-1',
    node: 'node-1',
    planId: 'fix-1',
    planHash: 'ab'.repeat(32),
    evidenceHash: 'cd'.repeat(32),
    nonce: 'ef'.repeat(16),
    at: AT,
  },
  asked: { serial: 1, boot: 2, seq: 3 },
  pool: 'workers',
  plan: { remediator: 'sysctl', reason: 'SysctlDiffers', reach: 'none' },
} as const

function bookOf(term: number): Book {
  const pause = { scope: { kind: 'all' }, by: 'b', reason: 'r', at: AT, until: AT } as const
  return { ...EMPTY_BOOK, term, pauses: [pause], grants: [GRANT] }
}
