/** Events on their way from one aggregator's journal to another's: as they are stored, in pieces that one question holds. */
import { z } from 'zod'
import { decodeValue, encodeValue } from '../../mesh/wire/codec.ts'
import type { Event, EventKind } from '../event-model.ts'

/** What goes to another aggregator's journal. */
export const APPEND_TOPIC = 'copies/append'

/** Of the events in one batch, bytes: a question holds 256 KiB, and some words go around them. */
export const BATCH_BYTES_MAX = 240 * 1024

/** In one batch; the other appends them in one transaction, and its mesh waits for that. */
export const BATCH_EVENTS_MAX = 100

/** An event as it stands in a journal. */
export interface Row extends Omit<Event, 'data'> {
  readonly seq: number
  /** JSON text, just as it is stored. */
  readonly data: string
}

const text = z.string().max(BATCH_BYTES_MAX)

const eventSchema = z.strictObject({
  id: z.string().min(1).max(4_000),
  at: z.iso.datetime(),
  // A later version knows more kinds; while aggregators are replaced, the earlier one keeps them all the same.
  kind: z.string().regex(/^[a-z][a-z-]{0,39}$/),
  node: z.string().max(253),
  tone: z.enum(['bad', 'good', 'info', 'act']),
  summary: text,
  causedBy: z.string().max(4_000),
  data: text,
})

const appendSchema = z.strictObject({
  /** The journal that they are of. */
  from: z.string().min(1).max(64),
  /** The journal that they are meant for; empty: which it is, is not known yet. */
  to: z.string().max(64),
  events: z.array(eventSchema).max(BATCH_EVENTS_MAX),
})

const answerSchema = z.strictObject({
  /** What the other's journal is called: a new one has another name. Nothing was appended to one that was not meant. */
  journal: z.string().min(1).max(64),
  /** The last place in it: one that was brought back from a backup has gone back. */
  last: z.int().min(0),
})
export type AppendAnswer = z.infer<typeof answerSchema>

/** What the two journals are called. */
export interface Journals {
  readonly from: string
  readonly to: string
}

/** As many of the rows as fit, in their order, and how many those are: one at least, if there is one. */
export function batchOf(
  journals: Journals,
  rows: readonly Row[],
): { readonly bytes: Uint8Array; readonly taken: number } {
  const events: z.infer<typeof eventSchema>[] = []
  let bytes = 0
  for (const row of rows.slice(0, BATCH_EVENTS_MAX)) {
    const event = fitting(row)
    bytes += encodeValue(event).length
    if (bytes > BATCH_BYTES_MAX && events.length > 0) break
    events.push(event)
  }
  return { bytes: encodeValue({ ...journals, events }), taken: events.length }
}

/** Throws an Error for anything but a batch. */
export function readBatch(bytes: Uint8Array): Journals & { readonly events: readonly Event[] } {
  const { events, ...journals } = decodeValue(appendSchema, bytes)
  return {
    ...journals,
    events: events.map(({ data, kind, ...event }) => ({ ...event, kind: kind as EventKind, data: dataIn(data) })),
  }
}

export const encodeAppendAnswer = (answer: AppendAnswer): Uint8Array => encodeValue(answer)
export const decodeAppendAnswer = (bytes: Uint8Array): AppendAnswer => decodeValue(answerSchema, bytes)

/** What one event holds beside its data is bounded by what one note holds. Lists of half a mesh stay where they are. */
function fitting({ seq: _, ...row }: Row): z.infer<typeof eventSchema> {
  const { id, at, kind, node, tone, summary, causedBy, data } = row
  const event = { id, at, kind, node, tone, summary, causedBy, data }
  const bytes = Buffer.byteLength(data)
  return bytes <= BATCH_BYTES_MAX / 2 ? event : { ...event, data: JSON.stringify({ leftOutBytes: bytes }) }
}

function dataIn(text: string): Readonly<Record<string, unknown>> {
  const data: unknown = JSON.parse(text)
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Error('the data of an event is no object')
  return data as Readonly<Record<string, unknown>>
}
