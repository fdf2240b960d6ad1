/** The rows of events: how one is linked to the end of the chain, how they are found, and what they say. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { type AuditRow, CHAIN_ROOT, type ChainedRow, linkHash } from '../audit/chain.ts'
import type { Event, EventKind, StoredEvent } from '../event-model.ts'
import type { DayOfEvents, HistoryQuery } from '../history/history.ts'
import { keyOf, millisecondsOf, packTexts, unpackTexts } from './packing.ts'
import { inTransaction } from './transaction.ts'
import { wordsOf } from './words.ts'

export const QUERY_LIMIT_MAX = 1_000
const DAY_MS = 86_400_000
/** Events that one row of `spans` is about. */
const SPAN = 256

export interface EventRows {
  /** All of those that are new, or none when it throws. */
  append(events: readonly Event[]): readonly StoredEvent[]
  query(query: HistoryQuery): readonly StoredEvent[]
  byId(id: string): StoredEvent | null
  days(from: string, until: string): readonly DayOfEvents[]
  /** Names that were made in a transaction that was rolled back. */
  forget(): void
  /** As the chain has it. */
  chained(row: Row): ChainedRow
}

export type Row = Record<string, SQLOutputValue>

export function eventRowsOf(database: DatabaseSync): EventRows {
  const words = wordsOf(database)
  const selectGiven = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
  const selectEnd = database.prepare('SELECT hash FROM events ORDER BY seq DESC LIMIT 1')
  const selectByKey = database.prepare('SELECT * FROM events WHERE key = ?')
  const selectBySeq = database.prepare('SELECT * FROM events WHERE seq = ?')
  const selectSorts = database.prepare('SELECT DISTINCT kind, tone FROM days')
  const selectDays = database.prepare('SELECT * FROM days WHERE day >= ? AND day < ? ORDER BY day, kind, tone')
  const insert = database.prepare(
    'INSERT INTO events (seq, key, at, kind, node, tone, texts, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const widen = database.prepare(`
    INSERT INTO spans (block, earliest, latest) VALUES (?1, ?2, ?2) ON CONFLICT (block)
    DO UPDATE SET earliest = min(earliest, excluded.earliest), latest = max(latest, excluded.latest)`)
  const count = database.prepare(`
    INSERT INTO days (day, kind, tone, events) VALUES (?, ?, ?, 1) ON CONFLICT (day, kind, tone)
    DO UPDATE SET events = events + 1`)
  const selectFrom = database.prepare('SELECT block FROM spans WHERE latest >= ? ORDER BY block LIMIT 1')
  const selectUntil = database.prepare('SELECT block FROM spans WHERE earliest < ? ORDER BY block DESC LIMIT 1')

  /** Numbers of the kinds and tones that there are events of, or were. */
  let known: Map<string, readonly [kind: number, tone: number]> | undefined
  const sorts = () => {
    known ??= new Map(selectSorts.all().map(({ kind, tone }) => [`${kind}/${tone}`, [Number(kind), Number(tone)]]))
    return known.values()
  }

  const read = (row: Row): AuditRow => {
    const node = words.wordOf(Number(row.node))
    const texts = unpackTexts(row.texts as Uint8Array, node, Number(row.at))
    const kind = words.wordOf(Number(row.kind)) as EventKind
    return { seq: Number(row.seq), kind, node, tone: words.wordOf(Number(row.tone)) as Event['tone'], ...texts }
  }
  const told = (row: Row): StoredEvent => {
    const { data, ...event } = read(row)
    return { ...event, data: JSON.parse(data) }
  }
  const byId = (id: string): StoredEvent | null => {
    for (const row of selectByKey.all(keyOf(id.toWellFormed()))) {
      const event = told(row)
      if (event.id === id.toWellFormed()) return event
    }
    return null
  }

  /** Within a transaction. */
  function link({ id, at, kind, node, tone, summary, causedBy, data }: Event, names: readonly number[]): number {
    const seq = Number(selectGiven.get()?.seq ?? 0) + 1
    const before = selectEnd.get()?.hash
    const row: AuditRow = {
      seq,
      // SQLite keeps UTF-8, in which half a surrogate pair has no form: hashed is what will be read again.
      id: id.toWellFormed(),
      at: at.toWellFormed(),
      kind,
      node: node.toWellFormed(),
      tone,
      summary: summary.toWellFormed(),
      causedBy: causedBy.toWellFormed(),
      data: JSON.stringify(data),
    }
    const hash = linkHash(before instanceof Uint8Array ? Buffer.from(before).toString('hex') : CHAIN_ROOT, row)
    const ms = millisecondsOf(at)
    const [kindNumber = 0, nodeNumber = 0, toneNumber = 0] = names
    const texts = packTexts(row, row.node)
    insert.run(seq, keyOf(row.id), ms, kindNumber, nodeNumber, toneNumber, texts, Buffer.from(hash, 'hex'))
    widen.run(Math.floor(seq / SPAN), ms)
    count.run(Math.floor(ms / DAY_MS), kindNumber, toneNumber)
    known?.set(`${kindNumber}/${toneNumber}`, [kindNumber, toneNumber])
    return seq
  }

  /** Where events of these times can stand; undefined where none can. */
  function between({ after = 0, before = Number.MAX_SAFE_INTEGER, from, until }: HistoryQuery) {
    let [low, high] = [after + 1, before - 1]
    if (from !== undefined) {
      const block = selectFrom.get(millisecondsOf(from))?.block
      if (block === undefined) return undefined
      low = Math.max(low, Number(block) * SPAN)
    }
    if (until !== undefined) {
      const block = selectUntil.get(millisecondsOf(until))?.block
      if (block === undefined) return undefined
      high = Math.min(high, (Number(block) + 1) * SPAN - 1)
    }
    return { low, high }
  }

  /** Their places. The index has them in order for one kind and one tone; what it says nothing of is looked for in the rows. */
  function placesOf(query: HistoryQuery): readonly number[] {
    const range = between(query)
    if (range === undefined) return []
    const times = [
      ...(query.from === undefined ? [] : [{ term: 'at >= ?', ms: millisecondsOf(query.from) }]),
      ...(query.until === undefined ? [] : [{ term: 'at < ?', ms: millisecondsOf(query.until) }]),
    ]
    const newest = (terms: readonly string[], values: readonly number[], low: number) => {
      const where = ['seq BETWEEN ? AND ?', ...times.map(({ term }) => term), ...terms].join(' AND ')
      const select = database.prepare(`SELECT seq FROM events WHERE ${where} ORDER BY seq DESC LIMIT ?`)
      const given = [low, range.high, ...times.map(({ ms }) => ms), ...values, query.limit]
      return select.all(...given).map(({ seq }) => Number(seq))
    }
    const { node, kinds, tones } = query
    if (node === undefined && (kinds !== undefined || tones !== undefined)) {
      let [places, low]: [readonly number[], number] = [[], range.low]
      const wanted = { kinds: kinds && numbersOf(kinds), tones: tones && numbersOf(tones) }
      for (const [kind, tone] of sorts()) {
        if (wanted.kinds?.includes(kind) === false || wanted.tones?.includes(tone) === false) continue
        places = newestOf([...places, ...newest(['kind = ?', 'tone = ?'], [kind, tone], low)], query.limit)
        // Of others only what is newer still counts.
        if (places.length === query.limit) low = places[0] ?? low
      }
      return places
    }
    const among = (column: string, names: readonly string[] | undefined) => {
      const numbers = names && numbersOf(names)
      return { terms: numbers ? [`${column} IN (${numbers.map(() => '?')})`] : [], numbers: numbers ?? [] }
    }
    // A unary plus keeps a column from choosing the index: that of the node, or of the order, is the better one.
    const parts = [among('node', node === undefined ? undefined : [node]), among('+kind', kinds), among('+tone', tones)]
    const values = parts.flatMap(({ numbers }) => numbers)
    return newestOf(
      newest(
        parts.flatMap(({ terms }) => terms),
        values,
        range.low,
      ),
      query.limit,
    )
  }

  /** Of names that no event has there is none. */
  function numbersOf(names: readonly string[]): readonly number[] {
    return [...new Set(names)].flatMap((name) => words.numberOf(name) ?? [])
  }

  return {
    append(events) {
      const names = events.map(({ kind, node, tone }) => words.numbersOf([kind, node.toWellFormed(), tone]))
      return inTransaction(database, () =>
        events.flatMap((event, index) => {
          if (byId(event.id) !== null) return []
          return { ...event, seq: link(event, names[index] ?? []) }
        }),
      )
    },

    query(query) {
      if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > QUERY_LIMIT_MAX) {
        throw new RangeError(`limit must be a whole number from 1 to ${QUERY_LIMIT_MAX}, not ${query.limit}`)
      }
      return placesOf(query).flatMap((place) => {
        const row = selectBySeq.get(place)
        return row === undefined ? [] : told(row)
      })
    },

    byId,
    forget() {
      words.forget()
      known = undefined
    },

    days: (from, until) =>
      selectDays.all(dayOf(from), dayOf(until)).map(({ day, kind, tone, events }) => ({
        day: new Date(Number(day) * DAY_MS).toISOString().slice(0, 10),
        kind: words.wordOf(Number(kind)) as EventKind,
        tone: words.wordOf(Number(tone)) as Event['tone'],
        events: Number(events),
      })),

    chained: (row) => ({
      ...read(row),
      hash: row.hash instanceof Uint8Array ? Buffer.from(row.hash).toString('hex') : null,
    }),
  }
}

/** Oldest first. */
function newestOf(places: readonly number[], limit: number): readonly number[] {
  return places.toSorted((a, b) => a - b).slice(-limit)
}

function dayOf(time: string): number {
  return Math.ceil(millisecondsOf(time) / DAY_MS)
}
