/** The history on SQLite: one file, no server. Writes are serialised by the process, and each is on disk on return. */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { SealedTrail } from '../audit/trail.ts'
import type { Event, EventQuery, Journal, StoredEvent } from '../model.ts'
import { chainOf } from './chain.ts'
import { columnsOf } from './columns.ts'
import { openDatabase } from './open.ts'
import { trailOf } from './trail.ts'
import { inTransaction } from './transaction.ts'

export const QUERY_LIMIT_MAX = 1_000

/** A history with the trail that proves it. */
export interface SqliteJournal extends Journal {
  readonly trail: SealedTrail
}

/** Opens or creates the history in `file`. Throws StarlingError when the file is damaged or not ours. */
export function openJournal(file: string): SqliteJournal {
  const database = openDatabase(file)
  const link = chainOf(database)
  const selectById = database.prepare('SELECT * FROM events WHERE id = ?')
  const selectFact = database.prepare('SELECT value FROM facts WHERE key = ?')
  const selectFacts = database.prepare('SELECT key, value FROM facts WHERE substr(key, 1, ?) = ? ORDER BY key')
  const upsertFact = database.prepare(
    'INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )

  return {
    trail: trailOf(database),

    append(event: Event): StoredEvent | null {
      return inTransaction(database, () => {
        if (selectById.get(event.id) !== undefined) return null
        return { ...event, seq: link(event) }
      })
    },

    appendAll(events: readonly Event[]) {
      return inTransaction(database, () => {
        return events.map((event) => {
          const known = selectById.get(event.id)
          if (known !== undefined) return { event: toEvent(known), isNew: false }
          return { event: { ...event, seq: link(event) }, isNew: true }
        })
      })
    },

    query(query: EventQuery): readonly StoredEvent[] {
      const { where, values } = conditions(query)
      const rows = database.prepare(`SELECT * FROM events ${where} ORDER BY seq DESC LIMIT ?`)
      return rows
        .all(...values, query.limit)
        .map(toEvent)
        .reverse()
    },

    byId(id: string): StoredEvent | null {
      const row = selectById.get(id)
      return row === undefined ? null : toEvent(row)
    },

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

function conditions(query: EventQuery): { where: string; values: SQLInputValue[] } {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > QUERY_LIMIT_MAX) {
    throw new RangeError(`limit must be a whole number from 1 to ${QUERY_LIMIT_MAX}, not ${query.limit}`)
  }
  const terms: string[] = []
  const values: SQLInputValue[] = []
  if (query.after !== undefined) {
    terms.push('seq > ?')
    values.push(query.after)
  }
  if (query.before !== undefined) {
    terms.push('seq < ?')
    values.push(query.before)
  }
  if (query.node !== undefined) {
    terms.push('node = ?')
    values.push(query.node)
  }
  if (query.kinds !== undefined) {
    terms.push(`kind IN (${query.kinds.map(() => '?').join(', ')})`)
    values.push(...query.kinds)
  }
  return { where: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`, values }
}

function toEvent(row: Record<string, SQLOutputValue>): StoredEvent {
  return { ...columnsOf(row), data: JSON.parse(String(row.data)) }
}
