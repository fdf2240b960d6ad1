/** Which writes bring a Node from what it shows to what should show. Only what is ours is ever touched. */
import type { Desired } from './desired.ts'
import { formatEvidence, parseEvidence } from './evidence.ts'
import { type Condition, type ConditionPatch, conditionOf, type NodeObject, type Taint } from './objects.ts'

export const OWN_CONDITION = 'StarlingHealthy'
export const OWN_TAINT = 'starling.mesh/unhealthy'
const READY_REASONS: readonly string[] = ['StarlingNodeDown', 'StarlingHostHung']

/** What the kubelet itself says of a node that is well; it says its own again within seconds. */
const READY_AGAIN = { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' } as const

/** Our condition holds for a day, and is written again when half of that is over: writes are few. */
const UNTIL_MS = 86_400_000

export interface Writing {
  readonly term: number
  readonly wallMs: number
}

/** Whether Ready=False on this node is our doing. */
export function hasOwnReady(node: NodeObject): boolean {
  const ready = conditionOf(node, 'Ready')
  return ready?.status === 'False' && READY_REASONS.includes(ready.reason ?? '')
}

/** Whether anything on this node is ours. */
export function hasOwnMarks(node: NodeObject): boolean {
  return hasOwnReady(node) || conditionOf(node, OWN_CONDITION) !== undefined || ownTaint(node) !== undefined
}

/** The conditions to be merged into the node's status; none when it shows what should show. */
export function statusChanges(node: NodeObject, desired: Desired, writing: Writing): readonly ConditionPatch[] {
  return [...readyChange(node, desired, writing), ...ownChange(node, desired, writing)]
}

/** All taints of the node, ours as it should be; undefined when it is already. */
export function taintsAfter(node: NodeObject, desired: Desired, { wallMs }: Writing): readonly Taint[] | undefined {
  const taints = node.spec?.taints ?? []
  const own = taints.filter(({ key }) => key === OWN_TAINT)
  const isAsItShouldBe =
    desired.taint === undefined
      ? own.length === 0
      : own.length === 1 && own[0]?.value === desired.taint && own[0].effect === 'NoSchedule'
  if (isAsItShouldBe) return undefined
  const others = taints.filter(({ key }) => key !== OWN_TAINT)
  if (desired.taint === undefined) return others
  return [...others, { key: OWN_TAINT, value: desired.taint, effect: 'NoSchedule', timeAdded: timeOf(wallMs) }]
}

/** lastHeartbeatTime is left out, and so kept: with a new one the controller would take the kubelet for alive. */
function readyChange(node: NodeObject, desired: Desired, { wallMs }: Writing): readonly ConditionPatch[] {
  const ready = conditionOf(node, 'Ready')
  if (desired.ready === undefined) {
    if (!hasOwnReady(node)) return []
    return [{ type: 'Ready', ...READY_AGAIN, lastTransitionTime: timeOf(wallMs) }]
  }
  // Unknown is the controller's and comes back whatever is written; False without our reason is the kubelet's own word.
  if (ready?.status !== 'True') return []
  const message = desired.condition?.says ?? ''
  return [{ type: 'Ready', status: 'False', reason: desired.ready, message, lastTransitionTime: timeOf(wallMs) }]
}

function ownChange(node: NodeObject, desired: Desired, writing: Writing): readonly ConditionPatch[] {
  const own = conditionOf(node, OWN_CONDITION)
  if (desired.condition === undefined) return own === undefined ? [] : [{ type: OWN_CONDITION, $patch: 'delete' }]
  const { reason, says, cause } = desired.condition
  if (own !== undefined && isStillRight(own, reason, idOf(cause), writing.wallMs)) return []
  const verdict =
    cause.kind === 'verdict'
      ? { verdict: { kind: cause.standing.kind, incarnation: cause.standing.incarnation } }
      : undefined
  const until = timeOf(writing.wallMs + UNTIL_MS)
  const message = formatEvidence({ says, id: idOf(cause), term: writing.term, ...verdict, until })
  const now = timeOf(writing.wallMs)
  const since = own?.status === 'False' ? (own.lastTransitionTime ?? now) : now
  return [{ type: OWN_CONDITION, status: 'False', reason, message, lastTransitionTime: since, lastHeartbeatTime: now }]
}

/** Same cause and same reason; of a finding that changes its figures nothing is written. */
function isStillRight(own: Condition, reason: string, id: string, wallMs: number): boolean {
  const evidence = parseEvidence(own.message)
  const holdsForMs = Date.parse(evidence?.until ?? '') - wallMs
  return own.status === 'False' && own.reason === reason && evidence?.id === id && holdsForMs > UNTIL_MS / 2
}

function idOf(cause: NonNullable<Desired['condition']>['cause']): string {
  return cause.kind === 'verdict' ? cause.standing.verdictId : cause.id
}

function ownTaint(node: NodeObject): Taint | undefined {
  return node.spec?.taints?.find(({ key }) => key === OWN_TAINT)
}

/** As Kubernetes writes times: whole seconds. */
export function timeOf(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`
}
