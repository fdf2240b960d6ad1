/**
 * Watching an API server: one request whose reply goes on for as long as nothing breaks it, taken up again when it ends.
 * The library's own is not used: it ends a watch after 30 s of silence, earlier than a server says its first bookmark.
 */
import http from 'node:http'
import https from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import type { KubeConfig } from '@kubernetes/client-node'
import { ApiError, errorOfReply } from './api-error.ts'

/** A server says at least a bookmark a minute; a line that says nothing for longer is dead. */
const IDLE_MS = 90_000
/** The server ends a watch after this. */
const WATCH_SECONDS = 300
/** An API server takes objects of up to 3 MiB. */
const LINE_CHARS_MAX = 16 * 1024 * 1024

/** Between two tries, doubling, each drawn from its upper half: servers that come back are not stormed. */
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 30_000
/** What stood for this long was no failure. */
const STOOD_MS = 10_000

const OK = 200
const GONE = 410

export type WatchKind = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'

/** How a watch ended: by the server, or by silence; or because what it was to go on from is forgotten. */
export type WatchEnd = 'ended' | 'gone'

export interface WatchCall<T> {
  /** As `/api/v1/nodes`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** In which form the objects are wanted; all of them as JSON unless given. */
  readonly accept?: string
  /** Ends the watch. */
  readonly signal: AbortSignal
  /** It stands: from now on changes come in. */
  opened(): void
  take(kind: WatchKind, object: T): void
}

/** Until it ends. Rejects with ApiError: what the server refuses it with, or what became of the line. */
export async function watch<T>(config: KubeConfig, call: WatchCall<T>): Promise<WatchEnd> {
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? ''
  const options: https.RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const headers = { ...(options.headers as http.OutgoingHttpHeaders), accept: call.accept ?? 'application/json' }
  const always = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: String(WATCH_SECONDS) }
  const url = `${server}${call.path}?${new URLSearchParams({ ...always, ...call.query })}`
  return await new Promise((resolve, reject) => {
    const { signal, opened } = call
    const failed = (error: Error) => {
      if (signal.aborted) resolve('ended')
      else reject(new ApiError('unreachable', 0, `it cannot be watched: ${error.message}`))
    }
    const { request: send } = server.startsWith('https:') ? https : http
    const request = send(url, { ...options, headers, signal }, (reply) => {
      const { statusCode = 0 } = reply
      reply.on('error', failed)
      if (statusCode === GONE) resolve('gone')
      if (statusCode !== OK) {
        reply.resume()
        reject(
          errorOfReply(statusCode, `the API server answers ${statusCode} to a watch`, reply.headers['retry-after']),
        )
        return
      }
      opened()
      const lines = new Lines<T>(call)
      reply.setEncoding('utf8')
      reply.on('data', (text: string) => {
        try {
          lines.take(text)
        } catch (error) {
          reply.destroy(error as Error)
        }
      })
      reply.on('end', () => resolve(lines.isGone ? 'gone' : 'ended'))
    })
    request.on('error', failed)
    request.setTimeout(IDLE_MS, () => {
      resolve('ended')
      request.destroy()
    })
    request.end()
  })
}

/** One event a line. */
class Lines<T> {
  readonly #call: Pick<WatchCall<T>, 'take'>
  #rest = ''
  isGone = false

  constructor(call: Pick<WatchCall<T>, 'take'>) {
    this.#call = call
  }

  /** Throws for what is no event. */
  take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LINE_CHARS_MAX) throw new Error('an event is too large')
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as { type: WatchKind | 'ERROR'; object: T & { code?: number } }
      if (type === 'ERROR') this.isGone = object.code === GONE
      else this.#call.take(type, object)
    }
  }
}

/**
 * Takes the step again and again for as long as that is wanted, whatever becomes of it. `random`: from 0 to 1, for jitter.
 * Returns how to end it.
 */
export function keepUp(
  step: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
  random: () => number = Math.random,
): () => void {
  const stopping = new AbortController()
  const { signal } = stopping
  const run = async (): Promise<void> => {
    for (let retryMs = RETRY_MS_MIN; !signal.aborted; retryMs = Math.min(2 * retryMs, RETRY_MS_MAX)) {
      const began = performance.now()
      try {
        await step(signal)
      } catch (error) {
        if (!signal.aborted) failed(error)
      }
      if (performance.now() - began >= STOOD_MS) retryMs = RETRY_MS_MIN
      await wait(retryMs * (1 - random() / 2), undefined, { signal }).catch(() => {})
    }
  }
  void run()
  return () => stopping.abort()
}
