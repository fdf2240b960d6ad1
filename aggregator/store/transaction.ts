/** Several statements that are on disk together, or not at all. */
import type { DatabaseSync } from 'node:sqlite'

/**
 * Takes the lock for writing at once, so that what `act` reads is still so when it writes. Throws what `act` throws. Within
 * another it is a part of that one.
 */
export function inTransaction<T>(database: DatabaseSync, act: () => T): T {
  if (database.isTransaction) return act()
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = act()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // After some errors, as a full disk, SQLite has rolled back by itself.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
