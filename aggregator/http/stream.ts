/**
 * The stream of Server-Sent Events. `event` carries one stored event, with its cursor as id so that a client that comes
 * back resumes where it was; `state` carries the whole snapshot, never more than five a second, and `office` stands in for
 * it while this aggregator does not lead; `beat` says that the line is alive; `gap` says that more was missed than is
 * resent, or that the client comes from another aggregator's history, so it reads /events instead.
 *
 * Nothing here waits for a slow client: a snapshot is skipped while the client is still reading the last one, and a
 * client whose unread bytes exceed a bound is cut off, to resume when it can.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { AggregatorPort, StoredEvent } from '../model.ts'
import { type EventCursor, eventCursor, eventCursorText } from './cursor.ts'
import { ProblemError, parseInput } from './problem.ts'
import { describeRoute, route } from './route.ts'
import { stateTextOf } from './state-text.ts'

const STATE_INTERVAL_MS = 200
/** Times what it took to make: of a large mesh it is told less often, so that events do not wait for it. */
const STATE_REST = 20
const HEARTBEAT_INTERVAL_MS = 15_000
const CLIENTS_MAX = 100
/** Missed events that are resent to a client that comes back; what a Store gives at once. */
const RESENT_MAX = 1_000
/** Beside one snapshot, which may be larger. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024

const LastEventId = z.object({ 'last-event-id': eventCursor.optional() })

const STREAM = describeRoute({
  method: 'GET',
  path: '/api/v1/stream',
  summary: 'What happens from now on, as Server-Sent Events',
  description:
    'Messages: `event`, whose id resumes the stream as Last-Event-ID or `after`; `state`, as GET /state, five times a second ' +
    'at most; `office` in its place while this aggregator does not lead; `beat` every 15 s; `gap` when what was missed is not ' +
    'resent (`why`: too-many, or another-history after a change of aggregator): read /events and go on.',
  query: z.strictObject({
    after: eventCursor.meta({ description: '`newest` of a page of events; Last-Event-ID outranks it' }).optional(),
  }),
  answerType: 'text/event-stream',
  errors: { 503: 'too many streams are open' },
})

export const STREAM_ROUTES = [STREAM]

interface Client {
  readonly raw: ServerResponse
  /** Of the last snapshot that was written to it. */
  stateBytes: number
  /** A snapshot was skipped, since the one before it has not been read. */
  owesState: boolean
  /** Whether its token is still somebody's. */
  readonly isWelcome: () => boolean
}

/** `store`: what cursors of this aggregator's events name it by. */
export function registerStream(server: FastifyInstance, port: AggregatorPort, store: string): void {
  const clients = new Set<Client>()
  let stateTimer: NodeJS.Timeout | null = null
  let nextStateAt = Number.NEGATIVE_INFINITY

  function write(client: Client, text: string | Buffer): void {
    client.raw.write(text)
    if (client.raw.writableLength > UNREAD_BYTES_MAX + client.stateBytes) client.raw.destroy()
  }

  /** Encoded once for all clients. */
  function writeState(client: Client, bytes: Buffer): void {
    client.stateBytes = bytes.length
    write(client, bytes)
  }

  function sendState(): void {
    stateTimer = null
    const began = performance.now()
    const bytes = Buffer.from(stateText(port))
    nextStateAt = began + Math.max(STATE_INTERVAL_MS, STATE_REST * (performance.now() - began))
    for (const client of clients) {
      if (client.raw.writableNeedDrain) client.owesState = true
      else writeState(client, bytes)
    }
  }

  function scheduleState(): void {
    if (stateTimer !== null || clients.size === 0) return
    stateTimer = setTimeout(sendState, Math.max(0, nextStateAt - performance.now()))
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
    const client: Client = { raw: reply.raw, stateBytes: 0, owesState: false, isWelcome: request.isWelcome }
    clients.add(client)
    reply.raw.on('close', () => clients.delete(client))
    reply.raw.on('error', () => reply.raw.destroy())
    reply.raw.on('drain', () => {
      if (!client.owesState) return
      client.owesState = false
      scheduleState()
    })
    // All in one turn of the event loop, so no event falls between those resent and those to come.
    if (after !== undefined) resend(port, store, after, (text) => write(client, text))
    writeState(client, Buffer.from(stateText(port)))
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

/** Never throws: a leader that has just resigned still has its clients. */
function stateText(port: AggregatorPort): string {
  const snapshot = port.present()
  if (snapshot !== undefined) return `event: state\ndata: ${stateTextOf(snapshot)}\n\n`
  return `event: office\ndata: ${JSON.stringify(port.office())}\n\n`
}
