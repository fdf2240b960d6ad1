/** The journal on SQLite: one file, no server. Writes are serialised by the process, and each is on disk on return. */
import type { SealedTrail } from '../audit/trail.ts'
import type { Event, EventQuery, Journal, StoredEvent } from '../event-model.ts'
import { type HeldRecords, heldIn } from '../history/held.ts'
import type { History } from '../history/history.ts'
import { historyOn } from '../history/sqlite.ts'
import { eventRowsOf } from './event-rows.ts'
import { openDatabase } from './open.ts'
import { trailOf } from './trail.ts'
import { inTransaction } from './transaction.ts'

/** A journal with the trail that proves it. */
export interface SqliteJournal extends Journal {
  readonly trail: SealedTrail
  /** In the same file. */
  readonly history: History
  /** What waits for a history elsewhere, besides the events. */
  readonly held: HeldRecords
}

/** Opens or creates the journal in `file`. Throws StarlingError when the file is damaged or not ours. */
export function openJournal(file: string): SqliteJournal {
  const database = openDatabase(file)
  const events = eventRowsOf(database)
  const trail = trailOf(database)
  const selectFact = database.prepare('SELECT value FROM facts WHERE key = ?')
  const selectFacts = database.prepare('SELECT key, value FROM facts WHERE substr(key, 1, ?) = ? ORDER BY key')
  const upsertFact = database.prepare(
    'INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )

  return {
    trail,
    history: historyOn({ database, events, trail }),
    held: heldIn(database),
    append: (event: Event): StoredEvent | null => events.append([event])[0] ?? null,
    appendAll(all: readonly Event[]) {
      const fresh = new Map(events.append(all).map((event) => [event.id, event]))
      return all.flatMap(({ id }) => {
        const event = fresh.get(id) ?? events.byId(id)
        return event === null ? [] : { event, isNew: fresh.delete(id) }
      })
    },
    together(work): void {
      try {
        inTransaction(database, work)
      } catch (error) {
        events.forget()
        throw error
      }
    },

    query: (query: EventQuery): readonly StoredEvent[] => events.query(query),
    byId: (id: string): StoredEvent | null => events.byId(id),

    readFact(key: string): string | null {
      const row = selectFact.get(key)
      return row === undefined ? null : String(row.value)
    },

    writeFact(key: string, value: string): void {
      upsertFact.run(key, value)
    },

    facts(prefix: string): ReadonlyMap<string, string> {
      const rows = selectFacts.all(prefix.length, prefix)
      return new Map(rows.map(({ key, value }) => [String(key), String(value)]))
    },

    close(): void {
      database.close()
    },
  }
}
