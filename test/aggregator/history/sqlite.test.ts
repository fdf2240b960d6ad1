import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import { signerOf } from '../audit/tampered.ts'
import { event } from '../event.ts'
import { historyConformance } from '../history-conformance.ts'

historyConformance('SQLite', async () => ({
  create() {
    const directory = mkdtempSync(join(tmpdir(), 'starling-history-'))
    let journal: SqliteJournal | undefined
    return {
      async open() {
        journal?.close()
        journal = openJournal(join(directory, 'history.sqlite'))
        return journal
      },
      async clean() {
        journal?.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
  end: async () => {},
}))

it('lets go of what a crash left, though the chain begins behind it already', async () => {
  const journal = openJournal(':memory:')
  const signer = await signerOf('aggregator-1')
  const [old, now] = ['2026-01-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z']
  journal.appendAll(['a', 'b'].map((id) => event(id, { at: old })))
  journal.append(event('c', { at: now }))
  journal.trail.cut(signer, 3)
  await journal.history.retain(now, { events: 90, measures: 0, inspections: 0 }, signer)
  expect(journal.query({ limit: 9 }).map(({ id }) => id)).toEqual(['c'])
  expect(journal.trail.signed(0)).toHaveLength(1)
  journal.close()
})
