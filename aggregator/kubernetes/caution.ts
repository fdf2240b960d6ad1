/** What keeps from marking one node more: how many are marked, or about to be. Decided one after the other, on one LIST. */
import type { Cluster } from './cluster.ts'
import { NotReadyClock, whyNoTaint, whyNotReady } from './marking/brakes.ts'
import { hasOwnTaint } from './marking/node-marks.ts'
import type { NodeObject } from './marking/objects.ts'

/** One LIST for all that are decided about at about the same time: a rack dies as one. */
const LISTED_MS = 500

export class Caution {
  readonly #cluster: Pick<Cluster, 'nodes'>
  readonly #now: () => number
  readonly #notReady = new NotReadyClock()
  /** About to get our taint: a LIST shows it later. */
  readonly #tainted = new Set<string>()
  #listed: { readonly atMs: number; readonly nodes: Promise<readonly NodeObject[]> } | undefined

  /** `now`: monotonic, ms. */
  constructor(cluster: Pick<Cluster, 'nodes'>, now: () => number) {
    this.#cluster = cluster
    this.#now = now
  }

  /** All nodes of the cluster, read afresh. */
  async nodes(): Promise<readonly NodeObject[]> {
    const nodes = await this.#cluster.nodes()
    this.#notReady.saw(this.#now(), nodes)
    return nodes
  }

  /** What was about to be written of it is over. */
  forget(node: string): void {
    this.#notReady.forget(node)
    this.#tainted.delete(node)
  }

  /** Why this node must not be made NotReady. Undefined: it may, and counts as such from now on unless only `observed`. */
  async whyNotReady(node: string, observed: boolean): Promise<string | undefined> {
    const nodes = await this.#nodesLately()
    const why = whyNotReady(node, nodes, this.#notReady, this.#now())
    if (why === undefined && !observed) this.#notReady.expect(this.#now(), node)
    return why
  }

  /** Why this node must not get our taint. Undefined: it may, and counts as having it from now on. */
  async whyNoTaint(node: string): Promise<string | undefined> {
    const nodes = await this.#nodesLately()
    // Of those that are there: a node that was tainted and is gone leaves its place to another.
    const isTainted = (other: NodeObject) => hasOwnTaint(other) || this.#tainted.has(other.metadata.name)
    const others = nodes.filter((other) => other.metadata.name !== node && isTainted(other))
    const why = whyNoTaint(others.length, nodes.length)
    if (why === undefined) this.#tainted.add(node)
    return why
  }

  #nodesLately(): Promise<readonly NodeObject[]> {
    const now = this.#now()
    if (this.#listed === undefined || now - this.#listed.atMs > LISTED_MS) {
      this.#listed = { atMs: now, nodes: this.nodes() }
    }
    return this.#listed.nodes
  }
}
