/** History in PostgreSQL, which several aggregators share: one of them at a time appends to the one chain. */
import type { Event, StoredEvent } from '../../event-model.ts'
import { keyOf, millisecondsOf } from '../../store/packing.ts'
import { byDay, DAY_MS, dayOf, daysOf, hoursOf, inOrder, isWithin, nameOfDay, putHours } from '../day-of-measures.ts'
import type { DayOfEvents, History, MeasuresQuery } from '../history.ts'
import { headOf, packInspection, unpackInspection } from '../inspection-record.ts'
import { COLUMNS, countsOf, eventOf, linkAt, selectOf, shown, valuesOf } from './event-rows.ts'
import { type ChainEnd, rename, type Standing, standingOf } from './seen.ts'
import { lockChain, type PostgresAccess, PostgresServer, type Session } from './server.ts'
import { type PostgresTrail, postgresTrail } from './trail.ts'

/** In one statement. */
const ROWS_AT_ONCE = 1_000

export interface PostgresHistory extends History {
  readonly trail: PostgresTrail
  /**
   * As `append`, unless what was `seen` is not there any more: null then, and nothing is appended. Else the end of the chain
   * after it, and how many were new.
   */
  carry(
    events: readonly Event[],
    seen: ChainEnd | undefined,
  ): Promise<{ readonly end: ChainEnd; readonly fresh: number } | null>
  standing(seen: ChainEnd | undefined): Promise<Standing>
  /** Cursors of before are refused from now on. */
  rename(): Promise<void>
}

/** Connects when it is first asked for something. */
export function openPostgres(access: PostgresAccess): PostgresHistory {
  const server = new PostgresServer(access)
  const trail = postgresTrail(server)

  async function measuresIn(query: MeasuresQuery) {
    const [first, end] = [dayOf(query.from), dayOf(new Date(Date.parse(query.until) - 1).toISOString())]
    const rows = await server.rows(
      'SELECT * FROM starling.measures WHERE day BETWEEN $1 AND $2 AND ($3::text[] IS NULL OR node = ANY($3))',
      [first, end, query.nodes === undefined ? null : query.nodes.map((node) => shown(node.toWellFormed()))],
    )
    const hours = rows.flatMap(({ day, node, hours: blob }) => {
      return hoursOf(String(node), Number(day), blob as Uint8Array)
    })
    return inOrder(hours.filter((hour) => isWithin(query, hour)))
  }

  async function deleteAll(sql: string, value: unknown): Promise<void> {
    while ((await server.rows(`${sql} RETURNING 1`, [value])).length > 0);
  }

  return {
    trail,

    append: (events) =>
      server.inTransaction(async (session) => {
        await lockChain(session)
        return await appendTo(session, events)
      }),

    carry: (events, seen) =>
      server.inTransaction(async (session) => {
        await lockChain(session)
        if (!(await standingOf(session, seen)).isAsSeen) return null
        const fresh = (await appendTo(session, events)).length
        return { end: (await standingOf(session, undefined)).end, fresh }
      }),

    standing: (seen) => standingOf(server, seen),
    rename: () => rename(server),

    async query(query) {
      const { sql, values } = selectOf(query)
      return (await server.rows(sql, values)).map(eventOf).toReversed()
    },

    async byId(id) {
      const rows = await server.rows('SELECT * FROM starling.events WHERE key = $1', [keyOf(id.toWellFormed())])
      return rows.map(eventOf).find((event) => event.id === id.toWellFormed()) ?? null
    },

    async eventsByDay(from, until) {
      const days = [from, until].map((time) => Math.ceil(millisecondsOf(time) / DAY_MS))
      const sql = 'SELECT * FROM starling.days WHERE day >= $1 AND day < $2 ORDER BY day, kind, tone'
      return (await server.rows(sql, days)).map(({ day, kind, tone, events }) => {
        return { day: nameOfDay(Number(day)), kind, tone, events: Number(events) } as DayOfEvents
      })
    },

    keepMeasures: (hours) =>
      server.inTransaction(async (session) => {
        for (const { node, day, hours: fresh } of byDay(hours)) {
          const place = [day, shown(node.toWellFormed())]
          const sql = 'SELECT hours FROM starling.measures WHERE day = $1 AND node = $2 FOR UPDATE'
          const [row] = await session.rows(sql, place)
          await session.rows(
            `INSERT INTO starling.measures VALUES ($1, $2, $3)
             ON CONFLICT (day, node) DO UPDATE SET hours = excluded.hours`,
            [...place, Buffer.from(putHours(row?.hours as Uint8Array | undefined, fresh))],
          )
        }
      }),

    measures: measuresIn,
    dailyMeasures: async (query) => daysOf(await measuresIn(query)),

    async keepInspection(run) {
      const { head, details } = packInspection(run)
      await server.rows('INSERT INTO starling.inspections VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING', [
        run.id,
        run.profile,
        run.startedAt,
        head,
        Buffer.from(details),
      ])
    },

    async inspections(limit, profile) {
      const rows = await server.rows(
        'SELECT head FROM starling.inspections WHERE $2::text IS NULL OR profile = $2 ORDER BY at DESC, id DESC LIMIT $1',
        [limit, profile ?? null],
      )
      return rows.map(({ head }) => headOf(String(head)))
    },

    async inspection(id) {
      const [row] = await server.rows('SELECT head, details FROM starling.inspections WHERE id = $1', [id])
      return row === undefined ? null : unpackInspection({ head: String(row.head), details: row.details as Uint8Array })
    },

    async retain(now, keep, signer) {
      const before = (days: number) => Date.parse(now) - days * DAY_MS
      if (keep.events > 0) {
        const [row] = await server.rows(
          // As in SQLite: what is of a time to come says nothing of its age.
          `SELECT coalesce((SELECT min(seq) FROM starling.events WHERE ms BETWEEN $1 AND $2),
            (SELECT min(seq) FROM starling.events WHERE ms >= $1), (SELECT max(seq) FROM starling.events)) AS kept`,
          [before(keep.events), Date.parse(now)],
        )
        if (row?.kept !== null)
          await trail.cut(signer, Math.min(Number(row?.kept), keep.eventsFrom ?? Number.POSITIVE_INFINITY))
        const cut = 'SELECT cut FROM starling.chain'
        const old = (from: string) => `SELECT seq FROM starling.${from} WHERE seq < (${cut}) LIMIT $1`
        await deleteAll(`DELETE FROM starling.events WHERE seq IN (${old('events')})`, ROWS_AT_ONCE)
        await deleteAll(`DELETE FROM starling.heads WHERE seq IN (${old('heads')})`, ROWS_AT_ONCE)
      }
      if (keep.measures > 0) {
        const day = Math.floor(before(keep.measures) / DAY_MS)
        await deleteAll(
          'DELETE FROM starling.measures WHERE ctid IN (SELECT ctid FROM starling.measures WHERE day < $1 LIMIT 1000)',
          day,
        )
      }
      if (keep.inspections > 0) {
        await deleteAll(
          'DELETE FROM starling.inspections WHERE at < $1',
          new Date(before(keep.inspections)).toISOString(),
        )
      }
    },

    close: () => server.close(),
  }
}

/** With the lock on the chain. */
async function appendTo(session: Session, events: readonly Event[]): Promise<readonly StoredEvent[]> {
  const fresh = await unknownOf(session, events)
  if (fresh.length === 0) return []
  const [end] = await session.rows('SELECT given, hash FROM starling.chain')
  let [given, hash] = [Number(end?.given), String(end?.hash)]
  const rows = fresh.map((event) => {
    const row = linkAt(++given, hash, event)
    hash = String(row.hash)
    return row
  })
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    const values = rows.slice(start, start + ROWS_AT_ONCE).map(valuesOf)
    let place = 0
    const places = values.map((row) => `(${row.map(() => `$${++place}`).join(', ')})`)
    await session.rows(`INSERT INTO starling.events (${COLUMNS}) VALUES ${places.join(', ')}`, values.flat())
  }
  await session.rows('UPDATE starling.chain SET given = $1, hash = $2', [given, hash])
  for (const count of countsOf(rows)) {
    await session.rows(
      `INSERT INTO starling.days VALUES ($1, $2, $3, $4) ON CONFLICT (day, kind, tone)
       DO UPDATE SET events = starling.days.events + excluded.events`,
      count,
    )
  }
  return fresh.map((event, index): StoredEvent => ({ ...event, seq: rows[index]?.seq ?? Number.NaN }))
}

/** Those that are not there yet, each once. */
async function unknownOf(session: Session, events: readonly Event[]): Promise<readonly Event[]> {
  const keys = events.map(({ id }) => keyOf(id.toWellFormed()))
  const rows = await session.rows('SELECT * FROM starling.events WHERE key = ANY($1::bigint[])', [keys])
  const known = new Set(rows.map((row) => eventOf(row).id))
  return events.filter(({ id }) => {
    if (known.has(id.toWellFormed())) return false
    known.add(id.toWellFormed())
    return true
  })
}
