/** What nearly all nodes of a pool have in common, by what they tell of themselves. Pure. */
import type { Facts, PoolMajority } from '../detectors/engine/facts-note.ts'

/** Of fewer nodes most is no more than chance. */
const NODES_MIN = 5
/** Below it a change is under way, or the nodes are meant to differ: none of them is the odd one then. */
const SHARE_MIN = 0.8

export interface NodeFacts {
  readonly pool: string
  readonly facts: Facts
}

/** In the order of pools and facts, so that the same nodes always give the same. */
export function majoritiesOf(nodes: readonly NodeFacts[]): readonly PoolMajority[] {
  const pools = Map.groupBy(nodes, ({ pool }) => pool)
  return [...pools]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([pool, members]) => {
      const facts = new Set(members.flatMap((member) => Object.keys(member.facts)))
      return [...facts].toSorted().flatMap((fact) => {
        const values = members.flatMap((member) => member.facts[fact] ?? [])
        const most = mostOf(values)
        if (values.length < NODES_MIN || most === undefined || most.nodes < values.length * SHARE_MIN) return []
        return [{ pool, fact, ...most, of: values.length }]
      })
    })
}

function mostOf(values: readonly string[]): { readonly value: string; readonly nodes: number } | undefined {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most === undefined ? undefined : { value: most[0], nodes: most[1] }
}
