/** The record of permits on disk: what it holds, and what is made of one that is damaged or too large. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { EMPTY_BOOK, type Ended } from '../../../aggregator/permits/book.ts'
import { formatBook, parseBook } from '../../../aggregator/permits/book-schema.ts'
import { createFactBook } from '../../../aggregator/permits/book-store.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { bookConformance } from './book-conformance.ts'
import { FakeBook } from './fake-book.ts'

const folder = mkdtempSync(join(tmpdir(), 'starling-book-'))
let files = 0
const closing: (() => void)[] = []
const openStore = () => {
  const store = openJournal(join(folder, `${++files}.sqlite`))
  closing.push(() => store.close())
  return store
}
afterAll(() => {
  for (const close of closing) close()
  rmSync(folder, { recursive: true })
})

bookConformance('a history', async () => createFactBook(openStore()))
bookConformance('the record in memory', async () => new FakeBook())

describe('a record', () => {
  test('that is damaged, or of a later version, is not taken for an empty one', async () => {
    const store = openStore()
    for (const text of ['{', '{}', '[]', '{"term":1}', JSON.stringify({ ...EMPTY_BOOK, later: 1 })]) {
      store.writeFact('permits', text)
      await expect(createFactBook(store).read()).rejects.toThrow('damaged')
    }
  })

  test('leaves out the oldest ends when it grows too large, and never a permit', () => {
    const at = '2026-01-31T12:00:00.000Z'
    const ended = Array.from({ length: 5_000 }, (_, index): Ended => {
      const rest = {
        remediator: 'r',
        reason: 'R',
        cause: 'c'.repeat(500),
        phase: 'verified',
        at,
        plannedAt: at,
      } as const
      return { node: 'n', planId: `fix-${index}`, ...rest }
    })
    const kept = parseBook(formatBook({ ...EMPTY_BOOK, ended })).ended
    expect(kept.length).toBeLessThan(2_000)
    expect(kept.at(-1)?.planId).toBe('fix-4999')
    const hash = 'a'.repeat(64)
    const permit = { id: 'p', node: 'n', planId: 'f', planHash: hash, evidenceHash: hash, nonce: 'a'.repeat(32), at }
    const asked = { serial: 1, boot: 1, seq: 1 }
    const grant = { permit, asked, plan: { remediator: 'r', reason: 'R', reach: 'none' } } as const
    const grants = Array.from({ length: 5_000 }, () => grant)
    expect(() => formatBook({ ...EMPTY_BOOK, grants })).toThrow('over')
  })
})
