/** Which writes bring a Node from what it shows to what should show. Only what is ours is ever touched. */
import type { Times } from '../times.ts'
import type { Desired } from './desired.ts'
import { type Evidence, formatEvidence, parseEvidence } from './evidence.ts'
import { type Condition, type ConditionPatch, conditionOf, type NodeObject, type Taint } from './objects.ts'

export const OWN_CONDITION = 'StarlingHealthy'
export const OWN_TAINT = 'starling.mesh/unhealthy'
const READY_REASONS: readonly string[] = ['StarlingNodeDown', 'StarlingHostHung']

/** What the kubelet itself says of a node that is well; it says its own again within seconds. */
const READY_AGAIN = { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' } as const

export interface Writing {
  readonly term: number
  readonly times: Times
}

/** Whether Ready=False on this node is our doing. */
export function hasOwnReady(node: NodeObject): boolean {
  const ready = conditionOf(node, 'Ready')
  return ready?.status === 'False' && READY_REASONS.includes(ready.reason ?? '')
}

/** Whether anything on this node is ours. */
export function hasOwnMarks(node: NodeObject): boolean {
  return hasOwnReady(node) || conditionOf(node, OWN_CONDITION) !== undefined || hasOwnTaint(node)
}

export function hasOwnTaint(node: NodeObject): boolean {
  return node.spec?.taints?.some(({ key }) => key === OWN_TAINT) === true
}

/** The conditions to be merged into the node's status; none when it shows what should show. */
export function statusChanges(node: NodeObject, desired: Desired, writing: Writing): readonly ConditionPatch[] {
  const ready = readyChange(node, desired, writing)
  const isReadyOurs = desired.ready !== undefined && (ready.length > 0 || hasOwnReady(node))
  return [...ready, ...ownChange(node, desired, writing, isReadyOurs)]
}

/** All taints of the node, ours as it should be; undefined when it is already. */
export function taintsAfter(node: NodeObject, desired: Desired, { times }: Writing): readonly Taint[] | undefined {
  const taints = node.spec?.taints ?? []
  const own = taints.filter(({ key }) => key === OWN_TAINT)
  const isAsItShouldBe =
    desired.taint === undefined
      ? own.length === 0
      : own.length === 1 && own[0]?.value === desired.taint && own[0].effect === 'NoSchedule'
  if (isAsItShouldBe) return undefined
  const others = taints.filter(({ key }) => key !== OWN_TAINT)
  if (desired.taint === undefined) return others
  return [...others, { key: OWN_TAINT, value: desired.taint, effect: 'NoSchedule', timeAdded: times.now }]
}

/** lastHeartbeatTime is left out, and so kept: with a new one the controller would take the kubelet for alive. */
function readyChange(node: NodeObject, desired: Desired, { times }: Writing): readonly ConditionPatch[] {
  const ready = conditionOf(node, 'Ready')
  if (desired.ready === undefined) {
    if (!hasOwnReady(node)) return []
    return [{ type: 'Ready', ...READY_AGAIN, lastTransitionTime: times.now }]
  }
  // Unknown is the controller's and comes back whatever is written; False without our reason is the kubelet's own word.
  if (ready?.status !== 'True') return []
  const message = desired.condition?.says ?? ''
  return [{ type: 'Ready', status: 'False', reason: desired.ready, message, lastTransitionTime: times.now }]
}

function ownChange(
  node: NodeObject,
  desired: Desired,
  writing: Writing,
  isReadyOurs: boolean,
): readonly ConditionPatch[] {
  const own = conditionOf(node, OWN_CONDITION)
  if (desired.condition === undefined) return own === undefined ? [] : [{ type: OWN_CONDITION, $patch: 'delete' }]
  const { reason, says, cause } = desired.condition
  const before = parseEvidence(own?.message)
  const isSame = before?.id === idOf(cause) && own?.reason === reason
  // Once written for a verdict it stays said: what shows there later was written by another.
  const isReadyWritten =
    isReadyOurs || (isSame && desired.ready !== undefined && before.verdict?.isReadyWritten === true)
  const isSaid = isReadyWritten === (before?.verdict?.isReadyWritten ?? false)
  if (isSame && isSaid && isStillRight(own, before, writing.times)) return []
  const verdict =
    cause.kind === 'verdict'
      ? { verdict: { kind: cause.standing.kind, incarnation: cause.standing.incarnation, isReadyWritten } }
      : undefined
  const { until, now } = writing.times
  const message = formatEvidence({ says, id: idOf(cause), term: writing.term, ...verdict, until })
  const since = own?.status === 'False' ? (own.lastTransitionTime ?? now) : now
  return [{ type: OWN_CONDITION, status: 'False', reason, message, lastTransitionTime: since, lastHeartbeatTime: now }]
}

/** Of a finding that changes its figures nothing is written. */
function isStillRight(own: Condition, { until }: Evidence, { renewal }: Times): boolean {
  // Of one form, so that the later one is the greater.
  return own.status === 'False' && until > renewal
}

function idOf(cause: NonNullable<Desired['condition']>['cause']): string {
  return cause.kind === 'verdict' ? cause.standing.verdictId : cause.id
}
