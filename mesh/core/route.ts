/**
 * Source routes for hints. Observers of one subject rarely share an edge (18 % at 100 members), but everyone can compute
 * the ring, so the sender writes the way into the message.
 */
import type { Ring } from './ring.ts'

/** Longest way a hint takes; 3 hops reach practically all of 1,000 members at K = 10. */
export const HOPS_MAX = 4

/**
 * Up to `count` short ways over edges from `from` (not included) to `to`, around `avoid`; no two of them share a node on
 * the way. None when there is none short enough.
 */
export function routesTo(
  ring: Ring,
  from: string,
  to: string,
  avoid: ReadonlySet<string>,
  count: number,
): readonly (readonly string[])[] {
  const taken = new Set(avoid)
  const ways: (readonly string[])[] = []
  while (ways.length < count) {
    const way = shortestWay(ring, from, to, taken)
    if (way === undefined) break
    ways.push(way)
    for (const node of way.slice(0, -1)) taken.add(node)
    if (way.length === 1) break
  }
  return ways
}

/** Searched from both ends: in a mesh of thousands one end alone would see all of it. */
function shortestWay(ring: Ring, from: string, to: string, avoid: ReadonlySet<string>): readonly string[] | undefined {
  const there = new Search(ring, from, avoid)
  const back = new Search(ring, to, avoid)
  for (let hops = 1; hops <= HOPS_MAX; hops++) {
    const [nearer, farther] = there.width <= back.width ? [there, back] : [back, there]
    const meeting = nearer.widen(farther)
    if (meeting !== undefined) return [...there.wayTo(meeting).slice(1), ...back.wayTo(meeting).toReversed().slice(1)]
  }
  return undefined
}

/** All that is reached from one end so far, and over whom. */
class Search {
  readonly #ring: Ring
  readonly #avoid: ReadonlySet<string>
  readonly #cameFrom = new Map<string, string | undefined>()
  #frontier: readonly string[]

  constructor(ring: Ring, start: string, avoid: ReadonlySet<string>) {
    this.#ring = ring
    this.#avoid = avoid
    this.#cameFrom.set(start, undefined)
    this.#frontier = [start]
  }

  get width(): number {
    return this.#frontier.length
  }

  /** One hop farther. Returns the first node that `other` has reached, too. */
  widen(other: Search): string | undefined {
    const next: string[] = []
    for (const node of this.#frontier) {
      for (const neighbour of this.#ring.neighboursOf(node)) {
        if (this.#cameFrom.has(neighbour)) continue
        const isMet = other.#cameFrom.has(neighbour)
        if (!isMet && this.#avoid.has(neighbour)) continue
        this.#cameFrom.set(neighbour, node)
        if (isMet) return neighbour
        next.push(neighbour)
      }
    }
    this.#frontier = next
    return undefined
  }

  /** From the start to a node that is reached, both included. */
  wayTo(node: string): readonly string[] {
    const way = [node]
    for (let before = this.#cameFrom.get(node); before !== undefined; before = this.#cameFrom.get(before)) {
      way.unshift(before)
    }
    return way
  }
}
