/**
 * The stream of Server-Sent Events. `event` carries one stored event, with its cursor as id so that a client that comes
 * back resumes where it was; `state` carries the present as a whole, and from then on `change` what changed in it, never more
 * than five a second; `office` stands in for them while this aggregator does not lead; `beat` says that the line is alive;
 * `gap` says that more was missed than is resent, or that the client comes from another aggregator's history, so it reads
 * /events instead.
 *
 * Nothing here waits for a slow client: one that leaves changes unread is told no more of them until it has read all, and
 * then a newer state as a whole; one whose unread bytes exceed a bound is cut off, to resume when it can.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { AggregatorPort, StoredEvent } from '../model.ts'
import { NOTHING_TOLD, StateFeed } from '../stream/state-feed.ts'
import { office, storedEvent } from './answers.ts'
import { type EventCursor, eventCursor, eventCursorText } from './cursor.ts'
import { ProblemError, parseInput } from './problem.ts'
import { describeRoute, route } from './route.ts'
import { stateChange, toldState } from './state-answers.ts'

const STATE_INTERVAL_MS = 200
/** Times what it took to make: of a large mesh it is told less often, so that events do not wait for it. */
const STATE_REST = 20
/** And no longer, whatever held it up: a picture that stands still is taken for the present. */
const STATE_REST_MS_MAX = 2_000
const HEARTBEAT_INTERVAL_MS = 15_000
const CLIENTS_MAX = 100
/** Missed events that are resent to a client that comes back; what a Store gives at once. */
const RESENT_MAX = 1_000
/** Beside a whole state, which may be larger: whoever has more unread is told of no more changes until it has read all. */
const BEHIND_BYTES = 2 * 1024 * 1024
/** As that, and then it is cut off: events are not left out. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024

const LastEventId = z.object({ 'last-event-id': eventCursor.optional() })

const STREAM = describeRoute({
  method: 'GET',
  path: '/api/v1/stream',
  summary: 'What happens from now on, as Server-Sent Events',
  description:
    'The state is told whole at first, and then what changed, five times a second at most; to whoever reads too slowly, whole ' +
    'again. A change that is based on another number than that of the state at hand is of no use: ask anew.',
  query: z.strictObject({
    after: eventCursor.meta({ description: '`newest` of a page of events; Last-Event-ID outranks it' }).optional(),
  }),
  answerType: 'text/event-stream',
  messages: {
    event: { says: 'what happened; its id resumes the stream as Last-Event-ID or `after`', data: storedEvent },
    state: { says: 'all that is so at present, but for findings of what is well', data: toldState },
    change: {
      says: 'what makes the state `number` of the state `basedOn`: put in, or in place of what has the same key (`node` of a member, `plan.id` of a remediation, otherwise `id`), and removed by key; and those parts of all else that changed',
      data: stateChange,
    },
    office: { says: 'in place of these two while this aggregator does not lead', data: office },
    beat: { says: 'every 15 s: the time', data: z.iso.datetime() },
    gap: {
      says: 'what was missed is not resent: read /events and go on',
      data: z.object({ why: z.enum(['too-many', 'another-history']) }),
    },
  },
  errors: { 503: 'too many streams are open' },
})

export const STREAM_ROUTES = [STREAM]

interface Client {
  readonly raw: ServerResponse
  /** Number of the state that it was told last. */
  told: number
  /** Of the whole state that it may not have read yet. */
  wholeBytes: number
  /** Whether its token is still somebody's. */
  readonly isWelcome: () => boolean
}

/** `store`: what cursors of this aggregator's events name it by. */
export function registerStream(server: FastifyInstance, port: AggregatorPort, store: string): void {
  const clients = new Set<Client>()
  const feed = new StateFeed()
  let stateTimer: NodeJS.Timeout | null = null
  let nextStateAt = Number.NEGATIVE_INFINITY

  function write(client: Client, text: string | Buffer): void {
    client.raw.write(text)
    if (client.raw.writableLength > UNREAD_BYTES_MAX + client.wholeBytes) client.raw.destroy()
  }

  function bringUpToDate(client: Client): void {
    const isBehind = client.raw.writableLength > BEHIND_BYTES + client.wholeBytes
    if (isBehind || client.told === feed.number) return
    const { bytes, isWhole } = feed.since(client.told)
    client.told = feed.number
    if (isWhole) client.wholeBytes = bytes.length
    write(client, bytes)
  }

  function sendState(): void {
    if (stateTimer !== null) clearTimeout(stateTimer)
    stateTimer = null
    const began = performance.now()
    feed.look(port.present(), port.office())
    for (const client of clients) bringUpToDate(client)
    const rest = Math.min(STATE_REST * (performance.now() - began), STATE_REST_MS_MAX)
    nextStateAt = began + Math.max(STATE_INTERVAL_MS, rest)
  }

  function scheduleState(): void {
    if (stateTimer !== null || clients.size === 0) return
    stateTimer = setTimeout(sendState, Math.max(0, nextStateAt - performance.now()))
  }

  function leave(client: Client): void {
    clients.delete(client)
    if (clients.size > 0) return
    if (stateTimer !== null) clearTimeout(stateTimer)
    stateTimer = null
    feed.forget()
  }

  const unsubscribe = port.subscribe((event) => {
    if (event !== null) {
      const text = eventText(store, event)
      for (const client of clients) write(client, text)
    }
    scheduleState()
  })

  const heartbeat = setInterval(() => {
    // A comment keeps proxies from closing the line, but a page cannot see it; the event is for the page.
    for (const { raw, isWelcome } of clients) if (!isWelcome()) raw.destroy()
    for (const client of clients) write(client, `: beat\nevent: beat\ndata: ${new Date().toISOString()}\n\n`)
  }, HEARTBEAT_INTERVAL_MS)

  // Before the server closes, since it waits for its open requests and these do not end by themselves.
  server.addHook('preClose', async () => {
    unsubscribe()
    clearInterval(heartbeat)
    if (stateTimer !== null) clearTimeout(stateTimer)
    for (const { raw } of clients) raw.end()
  })

  route(server, STREAM, ({ query, request, reply }) => {
    const after = parseInput(LastEventId, request.headers)['last-event-id'] ?? query.after
    if (clients.size >= CLIENTS_MAX) {
      throw new ProblemError({ status: 503, title: 'Too many streams', detail: `${CLIENTS_MAX} streams are open` })
    }
    // The answer never ends, so it is written past fastify, with the headers that were set so far.
    reply.hijack()
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    })
    const client: Client = { raw: reply.raw, told: NOTHING_TOLD, wholeBytes: 0, isWelcome: request.isWelcome }
    clients.add(client)
    reply.raw.on('close', () => leave(client))
    reply.raw.on('error', () => reply.raw.destroy())
    reply.raw.on('drain', () => {
      client.wholeBytes = 0
      if (client.told !== feed.number) scheduleState()
    })
    // All in one turn of the event loop, so no event falls between those resent and those to come.
    if (after !== undefined) resend(port, store, after, (text) => write(client, text))
    if (feed.isEmpty || performance.now() >= nextStateAt) sendState()
    else bringUpToDate(client)
    return reply
  })
}

function resend(port: AggregatorPort, store: string, after: EventCursor, send: (text: string) => void): void {
  if (after.store !== store) {
    send(gapText('another-history'))
    return
  }
  const missed = port.events({ after: after.seq, limit: RESENT_MAX })
  const first = missed[0]
  if (first !== undefined && port.events({ after: after.seq, before: first.seq, limit: 1 }).length > 0) {
    send(gapText('too-many'))
  }
  for (const event of missed) send(eventText(store, event))
}

function gapText(why: 'too-many' | 'another-history'): string {
  return `event: gap\ndata: ${JSON.stringify({ why })}\n\n`
}

/** JSON has no raw line breaks, so one data line always holds it. */
function eventText(store: string, event: StoredEvent): string {
  return `id: ${eventCursorText({ store, seq: event.seq })}\nevent: event\ndata: ${JSON.stringify(event)}\n\n`
}
