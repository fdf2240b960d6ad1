/** The rows of events: how one is linked to the end of the chain, how they are found, and what they say. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
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

  /** Undefined: no event is so. */
  function termsOf(query: HistoryQuery): { terms: readonly string[]; values: readonly SQLInputValue[] } | undefined {
    const range = between(query)
    if (range === undefined) return undefined
    const terms = ['seq BETWEEN ? AND ?']
    const values: SQLInputValue[] = [range.low, range.high]
    const among = (column: string, names: readonly string[]) => {
      const numbers = names.flatMap((name) => words.numberOf(name) ?? [])
      terms.push(`${column} IN (${numbers.map(() => '?').join(', ')})`)
      values.push(...numbers)
    }
    // A unary plus keeps a column from choosing the index: that of the node, or of the order, is the better one.
    if (query.node !== undefined) among('node', [query.node])
    if (query.tones !== undefined) among('+tone', query.tones)
    if (query.from !== undefined) {
      terms.push('at >= ?')
      values.push(millisecondsOf(query.from))
    }
    if (query.until !== undefined) {
      terms.push('at < ?')
      values.push(millisecondsOf(query.until))
    }
    return { terms, values }
  }

  function newest(kind: string | undefined, query: HistoryQuery): readonly Row[] {
    const found = termsOf(query)
    if (found === undefined) return []
    const { terms, values } = found
    const number = kind === undefined ? undefined : words.numberOf(kind)
    if (kind !== undefined && number === undefined) return []
    const ofKind = query.node === undefined ? 'kind = ?' : '+kind = ?'
    const where = [...terms, ...(number === undefined ? [] : [ofKind])].join(' AND ')
    const select = database.prepare(`SELECT * FROM events WHERE ${where} ORDER BY seq DESC LIMIT ?`)
    return select.all(...values, ...(number === undefined ? [] : [number]), query.limit)
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
      // One kind after the other: the newest of each are found by its index, those of several by none.
      const kinds = query.kinds === undefined ? [undefined] : [...new Set(query.kinds)]
      return kinds
        .flatMap((kind) => newest(kind, query))
        .toSorted((a, b) => Number(a.seq) - Number(b.seq))
        .slice(-query.limit)
        .map(told)
    },

    byId,
    forget: words.forget,

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

function dayOf(time: string): number {
  return Math.ceil(millisecondsOf(time) / DAY_MS)
}
