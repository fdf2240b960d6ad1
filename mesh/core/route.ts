/**
 * Source routes for hints. Observers of one subject rarely share an edge (18 % at 100 members), but everyone can compute
 * the ring, so the sender writes the way into the message.
 */
import type { Ring } from './ring.ts'

/** Longest way a hint takes; 3 hops reach practically all of 1,000 members at K = 10. */
export const HOPS_MAX = 4

/** A shortest way over edges from `from` (not included) to `to`, around `avoid`; undefined when none is short enough. */
export function routeTo(
  ring: Ring,
  from: string,
  to: string,
  avoid: ReadonlySet<string>,
): readonly string[] | undefined {
  const cameFrom = new Map<string, string>([[from, from]])
  let frontier = [from]
  for (let hops = 0; hops < HOPS_MAX && frontier.length > 0; hops++) {
    const next: string[] = []
    for (const node of frontier) {
      for (const neighbour of ring.neighboursOf(node)) {
        if (cameFrom.has(neighbour) || avoid.has(neighbour)) continue
        cameFrom.set(neighbour, node)
        if (neighbour === to) return pathTo(cameFrom, from, to)
        next.push(neighbour)
      }
    }
    frontier = next
  }
  return undefined
}

function pathTo(cameFrom: ReadonlyMap<string, string>, from: string, to: string): readonly string[] {
  const path: string[] = []
  for (let node = to; node !== from; node = cameFrom.get(node) ?? from) path.unshift(node)
  return path
}
