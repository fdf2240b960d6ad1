/**
 * Nodes of a real API server: a LIST in pages, then one WATCH from there on, for as long as it lasts. A watch that ends is
 * taken up where it ended; only what the server has forgotten (410) is listed anew. Nothing is asked for a single node.
 */
import { Watch } from '@kubernetes/client-node'
import { messageOf } from '../../../common/errors.ts'
import { ApiError } from '../api-error.ts'
import type { KubeClient } from '../client.ts'
import type { NodeObject } from '../marking/objects.ts'
import type { NodeSource } from './node-source.ts'
import { type NodeEvent, NodeTable } from './node-table.ts'

/** A page comes within the client's two seconds, also from a busy server. */
const PAGE_NODES = 500
/** Of 10,000 nodes in pages that are smaller than asked for; more is no list. */
const PAGES_MAX = 1_000

/** The server ends a watch after this; the library does when it hears nothing for 30 s, which may be a dead line. */
const WATCH_SECONDS = 300

/** Between two tries, doubling, each drawn from its upper half: servers that come back are not stormed. */
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 30_000

/** A watch that stood for this long was no failure. */
const STOOD_MS = 10_000

const GONE = 410

/** How the library calls its own end of a watch, and ours. */
const QUIET_ENDS: ReadonlySet<string> = new Set(['TimeoutError', 'AbortError'])

interface NodeList {
  readonly apiVersion?: string
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items?: readonly NodeObject[] | null
}

/** How a watch ended: by the server or the line, or because what it was to go on from is forgotten. */
type Ending = 'ended' | 'gone'

/** `random`: from 0 to 1, for jitter. */
export class WatchedNodes implements NodeSource {
  readonly #client: KubeClient
  readonly #random: () => number
  readonly #table = new NodeTable()
  #isStopped = false
  /** Ends what is waited for now: a watch, or a pause. */
  #interrupt = () => {}
  #path = ''
  #stale: string | undefined = 'it has not been listed yet'
  #onChange = () => {}

  constructor(client: KubeClient, random: () => number = Math.random) {
    this.#client = client
    this.#random = random
  }

  get nodes() {
    return this.#table.nodes
  }

  get stale(): string | undefined {
    return this.#stale
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    void this.#follow()
  }

  stop(): void {
    this.#isStopped = true
    this.#interrupt()
  }

  /** For as long as this is wanted; whatever fails is tried again. */
  async #follow(): Promise<void> {
    let retryMs = RETRY_MS_MIN
    let isListed = false
    while (!this.#isStopped) {
      const began = performance.now()
      try {
        if (!isListed) await this.#list()
        isListed = true
        if ((await this.#watch()) === 'gone') isListed = false
      } catch (error) {
        this.#is(messageOf(error))
      }
      if (performance.now() - began >= STOOD_MS) retryMs = RETRY_MS_MIN
      await this.#pause(retryMs * (1 - this.#random() / 2))
      retryMs = Math.min(2 * retryMs, RETRY_MS_MAX)
    }
  }

  #is(stale: string | undefined): void {
    const isNews = this.#stale !== stale
    this.#stale = stale
    if (isNews && !this.#isStopped) this.#onChange()
  }

  /** All pages of one state, or nothing. Throws. */
  async #list(): Promise<void> {
    const items: NodeObject[] = []
    let query: Readonly<Record<string, string>> = { limit: String(PAGE_NODES) }
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const list = await this.#client.call<NodeList>({ verb: 'list', ref: { group: '', resource: 'nodes' }, query })
      items.push(...(list.items ?? []))
      const { resourceVersion, continue: next = '' } = list.metadata
      if (next !== '') {
        query = { limit: String(PAGE_NODES), continue: next }
        continue
      }
      this.#path = `/api/${list.apiVersion ?? 'v1'}/nodes`
      this.#table.list(resourceVersion, items)
      this.#stale = undefined
      if (!this.#isStopped) this.#onChange()
      return
    }
    throw new Error(`its list has no end after ${PAGES_MAX} pages`)
  }

  /** Until it ends. Rejects with what the server refuses it with, or what became of the line. */
  async #watch(): Promise<Ending> {
    const query = { resourceVersion: this.#table.version, allowWatchBookmarks: true, timeoutSeconds: WATCH_SECONDS }
    return await new Promise<Ending>((resolve, reject) => {
      let ending: Ending = 'ended'
      const take = (kind: string, object: NodeObject & { code?: number }) => {
        if (kind === 'ERROR') ending = object.code === GONE ? 'gone' : ending
        else if (this.#table.event(kind as NodeEvent, object)) this.#onChange()
      }
      let isDone = false
      const done = (error: (Error & { statusCode?: number }) | null) => {
        isDone = true
        if (error?.statusCode === GONE) resolve('gone')
        else if (error === null || QUIET_ENDS.has(error.name)) resolve(ending)
        else reject(new ApiError('unreachable', error.statusCode ?? 0, `it cannot be watched: ${error.message}`))
      }
      new Watch(this.#client.config).watch(this.#path, query, take, done).then((line) => {
        this.#interrupt = () => line.abort()
        if (this.#isStopped) line.abort()
        // It stands: from now on changes come in.
        if (!isDone) this.#is(undefined)
      }, reject)
    })
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isStopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
