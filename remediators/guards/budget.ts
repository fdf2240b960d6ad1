/**
 * How many nodes of a group may be disrupted at once, whoever does it: those that are, our own permits, and the one that
 * asks, each node once. Fixes that stop no process have a wider budget of their own, over our own permits only: somebody's
 * cordon is no reason against a kernel parameter.
 */
import { counted } from '../../common/counted.ts'
import { disrupted, disturbs, otherPermits } from './disruption.ts'
import { allow, type Judgement, refuse } from './guard.ts'
import type { GuardSettings, Share } from './settings.ts'
import type { GuardView, NodeFacts } from './view.ts'
import { listed } from './wording.ts'

const REST_MS = 120_000

/** A group of nodes, and the budget of fixes that disturb it. */
export interface Group {
  /** As in `nodes of the cluster`. */
  readonly name: string
  /** Undefined: of a node that is no member any more. */
  has(facts: NodeFacts | undefined): boolean
  readonly share: Share
}

export const BUDGET_OF_NONE = 'counted by `reachNone` over permits of its kind only'

/** The smaller of the two, rounded down; but one is always allowed, or a small group could never be mended. */
export function limitOf({ percent, nodes }: Share, size: number): number {
  return Math.max(1, Math.min(Math.floor((percent * size) / 100), nodes))
}

export function judgeBudget(view: GuardView, { budgets }: GuardSettings, { name, has, share }: Group): Judgement {
  const { plan, nodes, request } = view
  const isDisturbing = disturbs(plan)
  const taken = [...(isDisturbing ? disrupted(view) : quietly(view))].filter(([node]) => has(nodes.get(node)))
  const others = taken.filter(([node]) => node !== request.node)
  const size = [...nodes.values()].filter(has).length
  const limit = limitOf(isDisturbing ? share : budgets.reachNone, size)
  const count = others.length + 1
  const would = `${count} of ${counted(size, 'node')} of ${name} would be ${isDisturbing ? 'disrupted' : 'changed at once'}`
  if (count <= limit) return allow(`${would}, and ${limit} may be`)
  const who = listed(others.map(([node, why]) => `${node} (${why})`))
  return refuse(`${would} with ${request.node}, and ${limit} may be: ${who}`, REST_MS)
}

/** Whether one that this guard allowed, by what it said, was the last of several that might be disrupted. */
export function tookLast(why: string): boolean {
  const [, count, limit] = /^(\d+) of .* would be disrupted, and (\d+) may be$/.exec(why) ?? []
  return count !== undefined && count === limit && count !== '1'
}

/** Nodes with a fix under way that stops no process, and whose it is. */
function quietly(view: GuardView): ReadonlyMap<string, string> {
  const permits = otherPermits(view).filter((permit) => !disturbs(permit))
  return new Map(permits.map(({ node, remediator }) => [node, `in the hands of ${remediator}`]))
}
