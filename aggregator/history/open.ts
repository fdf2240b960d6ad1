/** The history that an aggregator's file names. */
import type { SqliteJournal } from '../store/sqlite.ts'
import type { StoreConfig } from './config.ts'
import type { History } from './history.ts'

/** Beside the journal. */
export function openHistory(_config: StoreConfig, journal: SqliteJournal): History {
  return journal.history
}
