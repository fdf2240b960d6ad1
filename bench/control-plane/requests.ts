/**
 * Requests to an API server, as a measurement and a test want them: plain HTTPS, any path, any status is an answer. It
 * shares nothing with the client of the aggregator, which is what is measured and tested.
 */
import { readFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:https'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { StarlingError } from '../../common/errors.ts'
import type { Credentials } from './kubeconfig.ts'

const TIMEOUT_MS = 10_000
/** A test that writes to a hundred pods should not have to wait for its own turns. */
const SOCKETS_MAX = 16

const PATCH_TYPE = 'application/strategic-merge-patch+json'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Answer {
  readonly status: number
  readonly body: string
}

export class ApiRequests {
  readonly #port: number
  readonly #options: RequestOptions
  readonly #agent: Agent

  /** `port`: on 127.0.0.1, where the API server answers. `atOnce`: others wait for their turn. */
  constructor(port: number, caFile: string, credentials: Credentials, atOnce = SOCKETS_MAX) {
    this.#port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets: atOnce })
    const ca = readFileSync(caFile)
    this.#options =
      'token' in credentials
        ? { ca, headers: { authorization: `Bearer ${credentials.token}` } }
        : { ca, cert: readFileSync(credentials.certFile), key: readFileSync(credentials.keyFile) }
  }

  /** Any answer, also a refusal. Rejects when there is none within ten seconds. */
  async ask(method: Method, path: string, body?: unknown, contentType?: string): Promise<Answer> {
    const type = contentType ?? (method === 'PATCH' ? PATCH_TYPE : 'application/json')
    const { headers, ...options } = this.#options
    const sent = body === undefined ? undefined : JSON.stringify(body)
    // Without its length Node sends the body of a DELETE as if it were the next request.
    const about = sent === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(sent) }
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...options,
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.#port,
          method,
          path,
          headers: { ...headers, accept: 'application/json', ...about },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        },
        (response) => {
          const { statusCode: status = 0 } = response
          text(response).then((said) => resolve({ status, body: said }), reject)
        },
      )
      asked.once('error', reject)
      asked.end(sent)
    })
  }

  get<T>(path: string): Promise<T> {
    return this.#must<T>('GET', path)
  }

  create<T>(path: string, object: unknown): Promise<T> {
    return this.#must<T>('POST', path, object)
  }

  /** A strategic merge patch. */
  patch<T>(path: string, change: unknown): Promise<T> {
    return this.#must<T>('PATCH', path, change)
  }

  async remove(path: string): Promise<void> {
    await this.#must('DELETE', path, { gracePeriodSeconds: 0 })
  }

  /** Calls back with each event of a WATCH until what is returned is called, and `onEnd` if it ends before that. */
  watch<T>(path: string, onEvent: (event: T) => void, onEnd: (why: string) => void): () => void {
    const { headers, ...options } = this.#options
    const how = { ...options, agent: this.#agent, host: '127.0.0.1', port: this.#port, path }
    const asked = request({ ...how, headers: { ...headers, accept: 'application/json' } }, (response) => {
      const lines = createInterface(response)
      lines.on('line', (line) => onEvent(JSON.parse(line) as T))
      lines.once('error', end)
      lines.once('close', () => end({ message: `HTTP ${response.statusCode}` }))
    })
    let isOver = false
    const end = ({ message }: { readonly message: string }) => {
      if (!isOver) onEnd(message)
      isOver = true
    }
    asked.once('error', end)
    asked.end()
    return () => {
      isOver = true
      asked.destroy()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #must<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const { status, body: said } = await this.ask(method, path, body)
    if (status >= 200 && status < 300) return JSON.parse(said) as T
    throw new StarlingError(`${method} ${path}: HTTP ${status} ${said.slice(0, 500)}`)
  }
}
