/** The members as a roll-out of settings is judged by: whether they live, what they run, and what is wrong with them. */
import type { Finding } from '../detectors/contract.ts'
import type { Roster } from '../mesh/core/model.ts'
import { EXPIRED, type Fleet } from './fleet.ts'
import type { MemberView } from './model.ts'
import type { NodeFinding, NodeSeen } from './rollout-rules.ts'

/** Nobody has said that they do not live. */
const LIVE: ReadonlySet<MemberView['state']> = new Set(['alive', 'suspected', 'unseen'])

/** `unknown` counts: settings can make a detector that it sees nothing any more. */
const BAD: ReadonlySet<Finding['status']> = new Set(['warn', 'alarm', 'error', 'unknown'])

/** Told of by the node itself, as what it refused. */
const OWN_MATTER = 'settings-rejected'

export function nodesSeen(
  { members }: Roster,
  views: readonly MemberView[],
  fleet: Pick<Fleet, 'applied' | 'findingsOf'>,
  nowMs: number,
): readonly NodeSeen[] {
  const states = new Map(views.map(({ node, state }) => [node, state]))
  return members.map(({ node, pool }) => {
    const applied = fleet.applied.get(node)
    return {
      node,
      pool,
      isLive: LIVE.has(states.get(node) ?? 'unseen'),
      runs: applied?.version ?? 0,
      refused: applied?.refused,
      findings: fleet.findingsOf(node, nowMs).filter(isBad).map(named),
    }
  })
}

function isBad({ status, detector }: Finding): boolean {
  return BAD.has(status) && detector !== OWN_MATTER
}

function named({ detector, reason, cause, status, since, observedAt }: Finding): NodeFinding {
  const isUnknown = status === 'unknown'
  const what = `${detector}: ${reason}${isUnknown ? ' (unknown)' : ''}`
  // Nobody said again what has expired, and that took longer than to look again.
  const isOnce = isUnknown && reason !== EXPIRED && Date.parse(observedAt) <= Date.parse(since)
  return { what, key: `${detector}/${reason}/${cause}`, isOnce }
}
