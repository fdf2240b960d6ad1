/**
 * A checkpoint between the aggregators and the API server: it has the server's own certificate, reads each request, and lets
 * it through unless somebody wants to meet it. Whom it meets can be kept for as long as one likes, refused, or lose the answer.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request, type Server as TlsServer } from 'node:https'
import type { Server } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { listenIn } from '../namespaces/listen.ts'
import type { Network } from '../namespaces/network.ts'
import { API_PORT, CONTROL_PLANE, type ControlPlane } from './control-plane.ts'

const PORT = API_PORT + 1
/** As an API server leaves lines that are idle. */
const IDLE_MS = 90_000

/** One request that has arrived, and waits for what is done with it; one of these, once. */
export interface Met {
  readonly method: string
  /** Without its query. */
  readonly path: string
  /** The body, as text. */
  readonly said: string
  /** Lets it through, whether or not anybody still waits for the answer. Gives the answer's status. */
  pass(): Promise<number>
  /** The same, and the line breaks before the answer. */
  passUnanswered(): Promise<number>
  /** Answers in the API server's place, which never hears of it. */
  refuse(status: number, headers?: Readonly<Record<string, string>>): void
  /** The line breaks, and the API server never hears of it. */
  cut(): void
}

export type About = Pick<Met, 'method' | 'path' | 'said'>

interface Meeting {
  readonly wants: (about: About) => boolean
  readonly meet: (met: Met) => void
}

export class Checkpoint {
  readonly #port: number
  readonly #server: TlsServer
  readonly #upstream: Agent
  readonly #meetings = new Set<Meeting>()
  readonly #close: (() => Promise<void>)[] = []

  private constructor({ port, caFile, certificate }: ControlPlane['front']) {
    this.#port = port
    this.#upstream = new Agent({ keepAlive: true, ca: readFileSync(caFile) })
    const identity = { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) }
    this.#server = createServer({ ...identity, keepAliveTimeout: IDLE_MS }, (asked, response) => {
      this.#take(asked, response).catch(() => asked.socket.destroy())
    })
  }

  /** Everything from these addresses to the API server takes this way from now on; lines that stand are cut. */
  static async open(plane: ControlPlane, addresses: readonly string[]): Promise<Checkpoint> {
    const checkpoint = new Checkpoint(plane.front)
    await checkpoint.#listen(plane.network)
    await checkpoint.#divert(plane.network, addresses)
    return checkpoint
  }

  /** Requests that `wants` are handed to `meet`, and wait. Returns what ends this; those that wait then still do. */
  meet(wants: (about: About) => boolean, meet: (met: Met) => void): () => void {
    const meeting = { wants, meet }
    this.#meetings.add(meeting)
    return () => void this.#meetings.delete(meeting)
  }

  /** Ends all meetings: what comes is let through. */
  meetNobody(): void {
    this.#meetings.clear()
  }

  /** The straight way again, for all that comes; lines through here are cut. */
  async close(): Promise<void> {
    for (const close of this.#close) await close()
  }

  async #listen(network: Network): Promise<void> {
    const door: Server = await listenIn(network.on(CONTROL_PLANE.name), PORT)
    door.on('connection', (socket) => {
      socket.on('error', () => socket.destroy())
      this.#server.emit('connection', socket)
    })
    this.#close.push(async () => {
      this.#server.closeAllConnections()
      this.#upstream.destroy()
      const closed = once(door, 'close')
      door.close()
      await closed
    })
  }

  async #divert(network: Network, addresses: readonly string[]): Promise<void> {
    const rules = addresses.flatMap((address) => {
      const match = ['--source', address, '--protocol', 'tcp', '--dport', String(API_PORT)]
      return [
        ['nat', 'PREROUTING', ...match, '--jump', 'REDIRECT', '--to-ports', String(PORT)],
        // Only what was there before still comes to that port.
        ['filter', 'INPUT', ...match, '--jump', 'REJECT', '--reject-with', 'tcp-reset'],
      ]
    })
    const change = async (how: '--append' | '--delete', [table = '', ...rule]: readonly string[]) => {
      await network.run(CONTROL_PLANE.name, 'iptables', '--wait', '--table', table, how, ...rule)
    }
    for (const rule of rules) await change('--append', rule)
    this.#close.unshift(async () => {
      for (const rule of rules) await change('--delete', rule)
    })
  }

  async #take(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(asked)
    const { method = '', url = '', socket } = asked
    const about: About = { method, path: url.split('?', 1)[0] ?? '', said: body.toString() }
    const meeting = [...this.#meetings].find(({ wants }) => wants(about))
    if (meeting === undefined) {
      const answer = await this.#forward(asked, body, (cancel) => response.once('close', cancel))
      response.writeHead(answer.statusCode ?? 0, headersOf(answer.headers))
      await pipeline(answer, response)
      return
    }
    const passed = async (end: (answer: IncomingMessage, said: Buffer) => void) => {
      const answer = await this.#forward(asked, body)
      end(answer, await buffer(answer))
      return answer.statusCode ?? 0
    }
    meeting.meet({
      ...about,
      pass: () =>
        passed((answer, said) => response.writeHead(answer.statusCode ?? 0, headersOf(answer.headers)).end(said)),
      passUnanswered: () => passed(() => socket.destroy()),
      refuse: (status, headers = {}) => {
        const said = {
          kind: 'Status',
          apiVersion: 'v1',
          status: 'Failure',
          message: 'refused on the way',
          code: status,
        }
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(said))
      },
      cut: () => void socket.destroy(),
    })
  }

  /** As it came, and to the end unless it is cancelled. */
  async #forward(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    onCancel: (cancel: () => void) => void = () => {},
  ): Promise<IncomingMessage> {
    const to = { host: '127.0.0.1', port: this.#port, agent: this.#upstream, method, path: url }
    const sent = request({ ...to, headers: headersOf(headers) })
    onCancel(() => sent.destroy())
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    // Cancelled, or the API server ended: whoever reads it sees it end.
    answer.on('error', () => {})
    sent.on('error', () => {})
    return answer
  }
}

/** Without what is about a single line. */
function headersOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _, ...others } = headers
  return others
}
