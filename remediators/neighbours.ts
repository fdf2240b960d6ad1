/**
 * What a node tells its neighbours of its faults, and what it takes from theirs while it is cut off from the leader: whether
 * they have the same. Pure.
 */
import type { Finding, FindingStatus } from '../detectors/contract.ts'

/** Of a node with more faults than that its neighbours have little to learn. */
export const REASONS_MAX = 32
/** The longest that ships has 24 characters; plugins name their own. */
export const REASON_CHARS_MAX = 64

/** The gravest first: those are told where there are very many. */
const FAULTS: readonly FindingStatus[] = ['error', 'alarm', 'warn']

/**
 * Before so many neighbours were heard nobody can say that not three of them have a fault. So a node with fewer neighbours,
 * as in a mesh of three, begins nothing while it is cut off.
 */
const TELLING_MIN = 3

/** The reasons of what stands, each once, in a fixed order. What is held counts: it is clearing, or comes and goes. */
export function faultsOf(findings: Iterable<Pick<Finding, 'status' | 'reason'>>): readonly string[] {
  const ranks = new Map<string, number>()
  for (const { status, reason } of findings) {
    const rank = FAULTS.indexOf(status)
    if (rank === -1 || reason.length > REASON_CHARS_MAX) continue
    ranks.set(reason, Math.min(rank, ranks.get(reason) ?? rank))
  }
  const gravestFirst = [...ranks].toSorted(([a, left], [b, right]) => left - right || (a < b ? -1 : 1))
  return gravestFirst.slice(0, REASONS_MAX).map(([reason]) => reason)
}

/** How many have each, of those that were heard; undefined when too few were to say. */
export function countFaults(heard: readonly (readonly string[])[]): ReadonlyMap<string, number> | undefined {
  if (heard.length < TELLING_MIN) return undefined
  const counts = new Map<string, number>()
  for (const reason of heard.flatMap((reasons) => [...new Set(reasons)])) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return counts
}
