/** Events as rows of PostgreSQL, and back, and the conditions of a query. Pure. */
import { type AuditRow, type ChainedRow, linkHash } from '../../audit/chain.ts'
import type { Event, EventKind, StoredEvent } from '../../event-model.ts'
import { QUERY_LIMIT_MAX } from '../../store/event-rows.ts'
import { keyOf, millisecondsOf } from '../../store/packing.ts'
import { DAY_MS } from '../day-of-measures.ts'
import type { HistoryQuery } from '../history.ts'
import type { Row } from './server.ts'

const NODE_INDEXED_CHARS = 253

/** The event at this place, after the one with that hash. */
export function linkAt(seq: number, before: string, event: Event): ChainedRow {
  const row: AuditRow = {
    seq,
    id: event.id.toWellFormed(),
    at: event.at.toWellFormed(),
    kind: event.kind,
    node: event.node.toWellFormed(),
    tone: event.tone,
    summary: event.summary.toWellFormed(),
    causedBy: event.causedBy.toWellFormed(),
    data: JSON.stringify(event.data),
  }
  return { ...row, hash: linkHash(before, row) }
}

export const COLUMNS = 'seq, key, ms, id, at, kind, node, tone, summary, caused_by, data, odd, hash'

/** In the order of COLUMNS. */
export function valuesOf(row: ChainedRow): readonly unknown[] {
  const { seq, id, at, kind, node, tone, summary, causedBy, data, hash } = row
  const texts = [id, at, kind, node, tone, summary, causedBy, data]
  const odd = texts.some((text) => text.includes('\0')) ? Buffer.from(JSON.stringify(row)) : null
  return [seq, keyOf(id), millisecondsOf(at), ...texts.map(shown), odd, Buffer.from(String(hash), 'hex')]
}

export function chainedOf(row: Row): ChainedRow {
  if (row.odd instanceof Uint8Array) return JSON.parse(Buffer.from(row.odd).toString()) as ChainedRow
  return {
    seq: Number(row.seq),
    id: String(row.id),
    at: String(row.at),
    kind: String(row.kind) as EventKind,
    node: String(row.node),
    tone: String(row.tone) as Event['tone'],
    summary: String(row.summary),
    causedBy: String(row.caused_by),
    data: String(row.data),
    hash: Buffer.from(row.hash as Uint8Array).toString('hex'),
  }
}

export function eventOf(row: Row): StoredEvent {
  const { data, hash: _, ...event } = chainedOf(row)
  return { ...event, data: JSON.parse(data) }
}

/** How many of a day, kind and tone there are among these. */
export function countsOf(rows: readonly ChainedRow[]): readonly (readonly [number, string, string, number])[] {
  const counts = new Map<string, [number, string, string, number]>()
  for (const { at, kind, tone } of rows) {
    const day = Math.floor(millisecondsOf(at) / DAY_MS)
    const key = `${day} ${kind} ${tone}`
    const count = counts.get(key)
    if (count === undefined) counts.set(key, [day, kind, tone, 1])
    else count[3]++
  }
  return [...counts.values()]
}

/** Throws RangeError for a limit out of bounds. */
export function selectOf(query: HistoryQuery): { readonly sql: string; readonly values: readonly unknown[] } {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > QUERY_LIMIT_MAX) {
    throw new RangeError(`limit must be a whole number from 1 to ${QUERY_LIMIT_MAX}, not ${query.limit}`)
  }
  const terms: string[] = []
  const values: unknown[] = []
  const term = (text: (place: string) => string, value: unknown) => {
    if (value === undefined) return
    values.push(value)
    terms.push(text(`$${values.length}`))
  }
  term((place) => `seq > ${place}`, query.after)
  term((place) => `seq < ${place}`, query.before)
  if (query.node !== undefined) {
    const node = shown(query.node.toWellFormed())
    term((place) => `left(node, ${NODE_INDEXED_CHARS}) = ${place}`, [...node].slice(0, NODE_INDEXED_CHARS).join(''))
    term((place) => `node = ${place}`, node)
  }
  term((place) => `kind = ANY(${place})`, query.kinds)
  term((place) => `tone = ANY(${place})`, query.tones)
  term((place) => `ms >= ${place}`, query.from === undefined ? undefined : millisecondsOf(query.from))
  term((place) => `ms < ${place}`, query.until === undefined ? undefined : millisecondsOf(query.until))
  values.push(query.limit)
  const where = terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`
  return { sql: `SELECT * FROM starling.events ${where} ORDER BY seq DESC LIMIT $${values.length}`, values }
}

/** As much of it as PostgreSQL's text can hold. */
export function shown(text: string): string {
  return text.replaceAll('\0', '\ufffd')
}
