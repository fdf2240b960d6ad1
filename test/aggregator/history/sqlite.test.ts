import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
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
