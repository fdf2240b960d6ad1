/** The API's requests about events: pages of history, the newest first page by page, each page oldest first. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { HistoryQuery } from '../history/history.ts'
import { EVENT_KINDS, type Event, type EventQuery, type StoredEvent } from '../model.ts'
import { pageOf, storedEvent, TONES } from './answers.ts'
import { anotherStore, eventCursor, eventCursorText } from './cursor.ts'
import { listOf, nodeName } from './inputs.ts'
import { describeRoute, limitOf, route } from './route.ts'

/** Where events are looked up that people look back at. */
export interface PastEvents {
  /** What its cursors name it by now. Rejects when it cannot be asked. */
  store(): Promise<string>
  /** It may pass over what it cannot tell apart: tones and times are looked at again here. */
  query(query: HistoryQuery): Promise<readonly StoredEvent[]>
  /** Why it lacks what happened of late; null while it does not. Without it that is never known. */
  stalled?(): string | null
}

/** The events of this aggregator's own journal. */
export interface OwnEvents {
  readonly store: string
  query(query: EventQuery): readonly StoredEvent[]
}

const LIMIT_MAX = 1_000
/** Events looked through for one page; it ends early then, and `next` goes on. */
const LOOKED_AT_MAX = 5_000

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

const EventsQuery = z.strictObject({
  cursor: eventCursor.meta({ description: '`next` of the page before, with the same filters' }).optional(),
  node: nodeName.optional(),
  kind: listOf(z.enum(EVENT_KINDS)).optional(),
  tone: listOf(z.enum(TONES)).optional(),
  from: time.meta({ description: 'RFC 3339: not before' }).optional(),
  until: time.meta({ description: 'RFC 3339: before' }).optional(),
  text: z.string().min(1).max(100).meta({ description: 'in the summary, whatever the case' }).optional(),
  limit: limitOf(LIMIT_MAX, 200),
})
type EventsQuery = z.infer<typeof EventsQuery>

const EVENTS = describeRoute({
  method: 'GET',
  path: '/api/v1/events',
  summary: 'What happened and was decided: the newest page, oldest first in it',
  description:
    'A page can be shorter than `limit` while `next` is not null: only so many events are looked through at once. ' +
    '`newest` is a cursor for `after` of the stream, which goes on from this page: what it may tell again has the same id.',
  query: EventsQuery,
  answer: pageOf(storedEvent).extend({ newest: z.string().nullable() }),
  errors: { 503: 'the history cannot be read at present' },
  example: { query: 'node=node-4&kind=verdict,recovered&from=2026-03-01T00:00:00Z&limit=50' },
})

export const EVENT_ROUTES = [EVENTS]

/** `own`: the events that the stream tells, which `past` may have under other numbers, and later. */
export function registerEventRoutes(server: FastifyInstance, own: OwnEvents, past: PastEvents): void {
  route(server, EVENTS, async ({ query }) => {
    const { cursor } = query
    const store = await past.store()
    if (cursor !== undefined && cursor.store !== store) throw anotherStore('cursor')
    const told = own.query({ limit: store === own.store ? 1 : LIMIT_MAX })
    const { items, before } = await lookBack(past, query, cursor?.seq)
    const held = new Set(items.map(({ id }) => id))
    const newest = told.findLast(({ id }) => held.has(id)) ?? told.at(-1)
    return { items, next: cursorOf(store, before), newest: cursorOf(own.store, newest?.seq) }
  })
}

function cursorOf(store: string, seq: number | undefined): string | null {
  return seq === undefined ? null : eventCursorText({ store, seq })
}

/** `before`: where the next page begins; undefined at the end. */
async function lookBack(
  past: PastEvents,
  { cursor, limit, kind, text, tone, ...plain }: EventsQuery,
  from: number | undefined,
): Promise<{ items: readonly StoredEvent[]; before?: number }> {
  const filters = { ...plain, kinds: kind, tones: tone }
  // The model's optional fields are absent rather than undefined.
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined))
  const isWanted = filterOf({ text, tone, from: plain.from, until: plain.until })
  // One more than is wanted tells whether there are more; where many are left out, as many as can be had.
  const chunk = isWanted === undefined ? Math.min(limit + 1, LIMIT_MAX) : LIMIT_MAX
  let items: readonly StoredEvent[] = []
  let before = from
  for (let lookedAt = 0; lookedAt < LOOKED_AT_MAX; lookedAt += chunk) {
    const rows = await past.query({ ...given, limit: chunk, ...(before === undefined ? {} : { before }) })
    items = [...(isWanted === undefined ? rows : rows.filter(isWanted)), ...items]
    const oldest = rows[0]
    const isEnd = oldest === undefined || rows.length < chunk || isBefore(oldest, plain.from)
    if (items.length > limit) items = items.slice(-limit)
    else if (isEnd) return { items }
    else if (items.length < limit) {
      before = oldest.seq
      continue
    }
    return { items, ...(items[0] === undefined ? {} : { before: items[0].seq }) }
  }
  return { items, ...(before === undefined ? {} : { before }) }
}

/** Undefined when every event fits. */
function filterOf(query: {
  text: string | undefined
  tone: readonly Event['tone'][] | undefined
  from: string | undefined
  until: string | undefined
}): ((event: StoredEvent) => boolean) | undefined {
  const { tone, from, until } = query
  const text = query.text?.toLowerCase()
  if ([text, tone, from, until].every((each) => each === undefined)) return undefined
  return (event) => {
    if (tone !== undefined && !tone.includes(event.tone)) return false
    if (from !== undefined && event.at < from) return false
    if (until !== undefined && event.at >= until) return false
    return text === undefined || event.summary.toLowerCase().includes(text)
  }
}

/** An hour: clocks of aggregators differ, and a history can hold what another of them wrote. */
const DISORDER_MS = 3_600_000

/** Nothing before this one can be from that time on. */
function isBefore({ at }: StoredEvent, from: string | undefined): boolean {
  return from !== undefined && Date.parse(at) < Date.parse(from) - DISORDER_MS
}
