/** History on SQLite, in the journal's own file: what the journal takes in is in it at once. */
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as others } from 'node:timers/promises'
import type { SealedTrail } from '../audit/trail.ts'
import type { EventRows } from '../store/event-rows.ts'
import { inTransaction } from '../store/transaction.ts'
import { wordsOf } from '../store/words.ts'
import { byDay, DAY_MS, dayOf, daysOf, hoursOf, inOrder, isWithin, putHours } from './day-of-measures.ts'
import type { History, MeasuresQuery } from './history.ts'
import { headOf, packInspection, unpackInspection } from './inspection-record.ts'

/** In one transaction: more would keep the journal waiting for longer than a verdict may. */
const ROWS_AT_ONCE = 500
/** Nodes share a day's places: as many as there can be, and a day's are side by side. */
const NODES = 2 ** 24

export interface SqliteHistoryInit {
  readonly database: DatabaseSync
  readonly events: EventRows
  readonly trail: SealedTrail
}

/** Its `close` leaves the file to the journal. */
export function historyOn({ database, events, trail }: SqliteHistoryInit): History {
  const words = wordsOf(database)
  const selectDay = database.prepare('SELECT hours FROM measures WHERE place = ?')
  const selectDays = database.prepare('SELECT place, hours FROM measures WHERE place >= ? AND place < ?')
  const upsertDay = database.prepare(
    'INSERT INTO measures (place, hours) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET hours = excluded.hours',
  )
  const insertInspection = database.prepare(`
    INSERT INTO inspections (id, profile, at, head, details) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`)
  const selectHeads = database.prepare('SELECT head FROM inspections ORDER BY at DESC, id DESC LIMIT ?')
  const selectHeadsOf = database.prepare(
    'SELECT head FROM inspections WHERE profile = ? ORDER BY at DESC, id DESC LIMIT ?',
  )
  const selectInspection = database.prepare('SELECT head, details FROM inspections WHERE id = ?')
  const selectFirstOf = database.prepare('SELECT seq FROM events WHERE at BETWEEN ? AND ? ORDER BY seq LIMIT 1')
  const selectEnd = database.prepare('SELECT max(seq) AS seq FROM events')
  const selectFirst = database.prepare('SELECT min(seq) AS seq FROM events')
  const deleteEvents = database.prepare('DELETE FROM events WHERE seq < ?')
  const deleteHeads = database.prepare('DELETE FROM heads WHERE seq < ?')
  const deleteSpans = database.prepare('DELETE FROM spans WHERE block < ?')
  const deleteMeasures = database.prepare(`
    DELETE FROM measures WHERE place IN (SELECT place FROM measures WHERE place < ? LIMIT ${ROWS_AT_ONCE})`)
  const deleteInspections = database.prepare(`
    DELETE FROM inspections WHERE id IN (SELECT id FROM inspections WHERE at < ? LIMIT ${ROWS_AT_ONCE})`)

  const placeOf = (day: number, number: number) => day * NODES + number

  function measuresIn(query: MeasuresQuery) {
    const [first, end] = [dayOf(query.from), dayOf(new Date(Date.parse(query.until) - 1).toISOString()) + 1]
    const rows = query.nodes === undefined ? selectDays.all(placeOf(first, 0), placeOf(end, 0)) : []
    for (const number of (query.nodes ?? []).flatMap((node) => words.numberOf(node) ?? [])) {
      for (let day = first; day < end; day++) {
        const row = selectDay.get(placeOf(day, number))
        if (row !== undefined) rows.push({ ...row, place: placeOf(day, number) })
      }
    }
    const hours = rows.flatMap(({ place, hours: blob }) => {
      const node = words.wordOf(Number(place) % NODES)
      return hoursOf(node, Math.floor(Number(place) / NODES), blob as Uint8Array)
    })
    return inOrder(hours.filter((hour) => isWithin(query, hour)))
  }

  /** Places before which everything may go, lowest first, each some rows on. */
  async function letGo(cut: number): Promise<void> {
    for (let place = Number(selectFirst.get()?.seq ?? cut); place < cut; ) {
      place = Math.min(cut, place + ROWS_AT_ONCE)
      deleteEvents.run(place)
      await others()
    }
    deleteHeads.run(cut)
    deleteSpans.run(Math.floor(cut / 256))
  }

  return {
    append: async (all) => events.append(all),
    query: async (query) => events.query(query),
    byId: async (id) => events.byId(id),
    eventsByDay: async (from, until) => events.days(from, until),

    async keepMeasures(hours) {
      words.numbersOf(hours.map(({ node }) => node))
      inTransaction(database, () => {
        for (const { node, day, hours: fresh } of byDay(hours)) {
          const place = placeOf(day, words.numberOf(node) ?? Number.NaN)
          upsertDay.run(place, putHours(selectDay.get(place)?.hours as Uint8Array | undefined, fresh))
        }
      })
    },

    measures: async (query) => measuresIn(query),
    dailyMeasures: async (query) => daysOf(measuresIn(query)),

    async keepInspection(run) {
      const { head, details } = packInspection(run)
      insertInspection.run(run.id, run.profile, run.startedAt, head, details)
    },

    async inspections(limit, profile) {
      const rows = profile === undefined ? selectHeads.all(limit) : selectHeadsOf.all(profile, limit)
      return rows.map(({ head }) => headOf(String(head)))
    },

    async inspection(id) {
      const row = selectInspection.get(id)
      return row === undefined ? null : unpackInspection({ head: String(row.head), details: row.details as Uint8Array })
    },

    async retain(now, keep, signer) {
      const before = (days: number) => Date.parse(now) - days * DAY_MS
      if (keep.events > 0) {
        // By their order, not their times: a clock that was wrong for a while makes no hole. What is of a time to come says
        // nothing of its age, unless there is nothing else: then the clock is behind now.
        const since = before(keep.events)
        const first = selectFirstOf.get(since, Date.parse(now)) ?? selectFirstOf.get(since, Number.MAX_SAFE_INTEGER)
        const young = Number((first ?? selectEnd.get())?.seq ?? 0)
        const kept = Math.min(young, keep.eventsFrom ?? young)
        const oldest = Number(selectFirst.get()?.seq ?? kept)
        if (kept > oldest) {
          trail.cut(signer, kept)
          await letGo(kept)
        }
      }
      const day = Math.floor(before(keep.measures) / DAY_MS)
      while (keep.measures > 0 && deleteMeasures.run(placeOf(day, 0)).changes > 0) await others()
      const until = new Date(before(keep.inspections)).toISOString()
      while (keep.inspections > 0 && deleteInspections.run(until).changes > 0) await others()
    },

    close: async () => {},
  }
}
