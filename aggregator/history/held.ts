/**
 * Hours of measures and inspections on their way to a history elsewhere. They are in the journal's file first, in their order, and
 * for a week after they were carried: a server that was set back to a backup is given them again.
 */
import type { DatabaseSync } from 'node:sqlite'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { HourOfMeasures } from '../../inspection/measures.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import { inTransaction } from '../store/transaction.ts'

/** Packed. What is beyond goes, the oldest first, carried or not. */
export const HELD_BYTES_MAX = 256 * 1024 * 1024
const KEPT_AFTER_MS = 7 * 86_400_000
/** Far above what an inspection of a large fleet fills. */
const RECORD_BYTES_MAX = 256 * 1024 * 1024

export type HeldRecord =
  | { readonly kind: 'hours'; readonly hours: readonly HourOfMeasures[] }
  | { readonly kind: 'inspection'; readonly run: InspectionRun }

export interface HeldRecords {
  /** On disk when it returns. */
  hold(record: HeldRecord): void
  /** The first one after that place. */
  next(after: number): { readonly place: number; readonly record: HeldRecord } | undefined
  /** How many there are after that place. */
  waiting(after: number): number
  /** All up to this place are carried: those of long ago go. */
  carried(place: number): void
}

export function heldIn(database: DatabaseSync, bytesMax = HELD_BYTES_MAX, now = () => Date.now()): HeldRecords {
  const insert = database.prepare('INSERT INTO held (at, body) VALUES (?, ?)')
  // The highest place from which on, to the end, there is more than fits: up to it, all goes.
  const letGo = database.prepare(`
    DELETE FROM held WHERE place <= (
      SELECT max(place) FROM (SELECT place, sum(length(body)) OVER (ORDER BY place DESC) AS bytes FROM held)
      WHERE bytes > ?)`)
  const selectNext = database.prepare('SELECT place, body FROM held WHERE place > ? ORDER BY place LIMIT 1')
  const countAfter = database.prepare('SELECT count(*) AS count FROM held WHERE place > ?')
  const deleteOld = database.prepare('DELETE FROM held WHERE place <= ? AND at < ?')
  return {
    hold(record) {
      inTransaction(database, () => {
        insert.run(now(), deflateRawSync(JSON.stringify(record)))
        letGo.run(bytesMax)
      })
    },

    next(after) {
      const row = selectNext.get(after)
      if (row === undefined) return undefined
      const text = inflateRawSync(row.body as Uint8Array, { maxOutputLength: RECORD_BYTES_MAX }).toString()
      return { place: Number(row.place), record: JSON.parse(text) as HeldRecord }
    },

    waiting: (after) => Number(countAfter.get(after)?.count),
    carried: (place) => void deleteOld.run(place, now() - KEPT_AFTER_MS),
  }
}
