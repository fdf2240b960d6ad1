/**
 * What stands against making one more node NotReady, by what Kubernetes shows. The mesh has brakes of its own; these also
 * count the nodes that others made NotReady (docs/protocol.md section 6).
 */
import { conditionOf, type NodeObject, zoneOf } from './objects.ts'

/** Two nodes that die on a small cluster are two deaths. */
const NODES_MIN = 3
const FLEET_SHARE = 0.25
const ZONE_SHARE = 0.55
const ZONE_NODES_MIN = 4
/** Nodes that have been NotReady for longer belong to another story. */
const WITHIN_MS = 60_000

/**
 * Since when each node has been NotReady, as this process saw it and on its own clock: the times on Nodes are other
 * machines'. What it is about to make NotReady is so already: a LIST shows it later.
 */
export class NotReadyClock {
  readonly #since = new Map<string, number>()
  readonly #expected = new Map<string, number>()

  /** Takes in all nodes of the cluster. */
  saw(nowMs: number, nodes: readonly NodeObject[]): void {
    const notReady = new Set(nodes.filter((node) => !isReady(node)).map(({ metadata }) => metadata.name))
    for (const node of this.#since.keys()) if (!notReady.has(node)) this.#since.delete(node)
    for (const node of notReady) if (!this.#since.has(node)) this.#since.set(node, nowMs)
  }

  /** This process is about to make it NotReady. */
  expect(nowMs: number, node: string): void {
    this.#expected.set(node, nowMs)
  }

  /** What this process made of it is over. */
  forget(node: string): void {
    this.#expected.delete(node)
  }

  isExpected(node: string): boolean {
    return this.#expected.has(node)
  }

  /** Those that became NotReady lately. */
  recent(nowMs: number): ReadonlySet<string> {
    const all = [...this.#since, ...this.#expected]
    return new Set(all.filter(([, since]) => nowMs - since <= WITHIN_MS).map(([node]) => node))
  }
}

/** Why `name` must not be made NotReady; undefined when nothing stands against it. */
export function whyNotReady(
  name: string,
  nodes: readonly NodeObject[],
  clock: NotReadyClock,
  nowMs: number,
): string | undefined {
  const recent = clock.recent(nowMs)
  const isUp = (other: NodeObject) => isReady(other) && !clock.isExpected(other.metadata.name)
  const node = nodes.find(({ metadata }) => metadata.name === name)
  // It is NotReady already: one more mark changes nothing.
  if (node === undefined || !isReady(node)) return undefined
  if (!nodes.some((other) => other !== node && isUp(other))) return 'it is the last Ready node'
  const down = nodes.filter(({ metadata }) => metadata.name === name || recent.has(metadata.name))
  if (down.length < NODES_MIN) return undefined
  if (down.length >= nodes.length * FLEET_SHARE) return `${down.length} of ${nodes.length} nodes would be NotReady`
  const zone = zoneOf(node)
  const ofZone = nodes.filter((other) => zoneOf(other) === zone)
  const downInZone = down.filter((other) => zoneOf(other) === zone).length
  if (ofZone.length < ZONE_NODES_MIN || downInZone < NODES_MIN || downInZone < ofZone.length * ZONE_SHARE) {
    return undefined
  }
  return `${downInZone} of ${ofZone.length} nodes of zone ${zone} would be NotReady`
}

function isReady(node: NodeObject): boolean {
  return conditionOf(node, 'Ready')?.status === 'True'
}

/** Of the nodes of a cluster, at least one: beyond that our taint would leave too few for its pods. */
const TAINTED_SHARE = 0.25

/** Why one more of `total` nodes must not get our taint while `tainted` have it; undefined when it may. */
export function whyNoTaint(tainted: number, total: number): string | undefined {
  if (tainted < Math.max(1, Math.floor(total * TAINTED_SHARE))) return undefined
  return `no taint: ${tainted} of ${total} nodes have ours already`
}
