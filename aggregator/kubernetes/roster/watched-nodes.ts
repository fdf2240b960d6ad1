/**
 * Nodes of a real API server: a LIST in pages, then one WATCH from there on, for as long as it lasts. A watch that ends is
 * taken up where it ended; only what the server has forgotten (410) is listed anew. Nothing is asked for a single node.
 */
import { messageOf } from '../../../common/errors.ts'
import type { KubeClient } from '../client.ts'
import type { NodeObject } from '../marking/objects.ts'
import { keepUp, type WatchKind, watch } from '../watch.ts'
import type { NodeSource } from './node-source.ts'
import { NodeTable } from './node-table.ts'

/** A page comes within the client's two seconds, also from a busy server. */
const PAGE_NODES = 500
/** Of 10,000 nodes in pages that are smaller than asked for; more is no list. */
const PAGES_MAX = 1_000

interface NodeList {
  readonly apiVersion?: string
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items?: readonly NodeObject[] | null
}

/** `random`: from 0 to 1, for jitter. */
export class WatchedNodes implements NodeSource {
  readonly #client: KubeClient
  readonly #random: () => number
  readonly #table = new NodeTable()
  #isStopped = false
  #isListed = false
  #end = () => {}
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
    this.#end = keepUp(
      (signal) => this.#follow(signal),
      (error) => this.#is(messageOf(error)),
      this.#random,
    )
  }

  stop(): void {
    this.#isStopped = true
    this.#end()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    if (!this.#isListed) await this.#list()
    this.#isListed = true
    const ending = await watch<NodeObject>(this.#client.config, {
      path: this.#path,
      query: { resourceVersion: this.#table.version ?? '' },
      signal,
      opened: () => this.#is(undefined),
      take: (kind: WatchKind, object) => {
        if (this.#table.event(kind, object) && !this.#isStopped) this.#onChange()
      },
    })
    if (ending === 'gone') this.#isListed = false
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
}
