/**
 * Readiness gates: pods that opted in are kept out of their Services while their node is sick and its kubelet alive. Here
 * is what a node means for such a gate, and which gates are to be written.
 */
import { parseEvidence } from './evidence.ts'
import { OWN_CONDITION, OWN_TAINT } from './node-marks.ts'
import { conditionOf, type NodeObject, type PodObject, type StatusPatch } from './objects.ts'
import { mayHaveMarkedPods } from './shown.ts'

/** The condition that pods declare as their gate; and their label, by which a server finds them among all others. */
export const GATE = 'starling.mesh/node-healthy'

const HEALTHY = 'NodeHealthy'
/** Open on a sick node, and left so until that is well: a gate must not swing with the readiness of others. */
const LAST = 'NobodyElseServes'

/** Of a finding: who would look at the gate is gone, and finds it closed when it is back. */
const KUBELET_DOWN = 'KubeletDown'

const ENDED_PHASES = ['Succeeded', 'Failed']

/** What stands behind a closed gate. */
export interface GateCause {
  readonly kind: 'verdict' | 'finding'
  readonly id: string
}

/** What a node wants of the gates on it. `left`: nothing. Its kubelet is dead, and nobody else looks at them. */
export type NodeGate =
  | { readonly kind: 'open' }
  | { readonly kind: 'left' }
  | { readonly kind: 'closed'; readonly reason: string; readonly cause: GateCause | undefined }

/** What is kept in mind of a pod that has the label. */
export interface GatedPod {
  readonly namespace: string
  readonly name: string
  readonly version: string
  /** Those that stand in for each other: of one namespace, with one value of the label. */
  readonly group: string
  /** Empty until it is scheduled. */
  readonly node: string
  readonly declaresGate: boolean
  /** It has ended, or is told to. */
  readonly isGoing: boolean
  readonly isReady: boolean
  readonly gate: { readonly isOpen: boolean; readonly reason: string } | undefined
}

export interface GateWrite {
  readonly pod: GatedPod
  readonly isOpen: boolean
  readonly reason: string
  readonly message: string
}

export interface GateDecision {
  readonly writes: readonly GateWrite[]
  /** Open although their nodes are sick: nobody else of their group serves. */
  readonly kept: readonly GatedPod[]
}

/**
 * Our taint closes gates: where policy does not taint, and on more nodes than may be tainted, gates stay open. What our own
 * condition says is its cause.
 */
export function nodeGate(node: NodeObject): NodeGate {
  const taint = node.spec?.taints?.find(({ key }) => key === OWN_TAINT)
  if (mayHaveMarkedPods(node) || taint?.value === KUBELET_DOWN) return { kind: 'left' }
  if (taint === undefined) return { kind: 'open' }
  const evidence = parseEvidence(conditionOf(node, OWN_CONDITION)?.message)
  const kind = evidence?.verdict === undefined ? 'finding' : 'verdict'
  return { kind: 'closed', reason: taint.value ?? '', cause: evidence && { kind, id: evidence.id } }
}

/** Undefined for a pod without the label. */
export function gatedPod(object: PodObject): GatedPod | undefined {
  const { name, namespace = 'default', resourceVersion, labels, deletionTimestamp } = object.metadata
  const label = labels?.[GATE]
  if (label === undefined) return undefined
  const gate = conditionOf(object, GATE)
  return {
    namespace,
    name,
    version: resourceVersion,
    group: `${namespace}/${label}`,
    node: object.spec?.nodeName ?? '',
    declaresGate: declaresGate(object),
    isGoing: deletionTimestamp !== undefined || hasEnded(object),
    isReady: conditionOf(object, 'Ready')?.status === 'True',
    gate: gate === undefined ? undefined : { isOpen: gate.status === 'True', reason: gate.reason ?? '' },
  }
}

export function declaresGate({ spec }: PodObject): boolean {
  return spec?.readinessGates?.some(({ conditionType }) => conditionType === GATE) === true
}

/** Whether it waits for its gate, with the label or without. */
export function waitsForGate(pod: PodObject): boolean {
  return declaresGate(pod) && !hasEnded(pod) && conditionOf(pod, GATE)?.status !== 'True'
}

/** For good, when nobody will look after it any more. */
export function openGate({ metadata }: PodObject, now: string): StatusPatch {
  const message = 'nobody looks after this gate any more'
  const condition = { type: GATE, status: 'True', reason: HEALTHY, message, lastTransitionTime: now }
  return { metadata: { resourceVersion: metadata.resourceVersion }, status: { conditions: [condition] } }
}

/**
 * What is to be written to the pods of one group. `of`: what their nodes want; undefined of a node of which nothing is
 * known, whose pods stay as they are. `isWhole`: there are no others in the group; only then is it said of any that it is
 * the last.
 */
export function decideGates(
  pods: readonly GatedPod[],
  of: (node: string) => NodeGate | undefined,
  isWhole: boolean,
): GateDecision {
  const mayClose = pods.some(({ isReady, isGoing, node }) => isReady && !isGoing && of(node)?.kind === 'open')
  const writes: GateWrite[] = []
  const kept: GatedPod[] = []
  for (const pod of pods) {
    const node = pod.declaresGate && !pod.isGoing && pod.node !== '' ? of(pod.node) : undefined
    if (node?.kind === 'open') writes.push(...opened(pod))
    if (node?.kind !== 'closed') continue
    if (mayClose) writes.push(...closed(pod, node.reason))
    else if (isWhole) {
      writes.push(...lastOpened(pod))
      kept.push(pod)
    }
  }
  return { writes, kept }
}

/** `now`: as Kubernetes writes times. */
export function gatePatch({ pod, isOpen, reason, message }: GateWrite, now: string): StatusPatch {
  const since = pod.gate?.isOpen === isOpen ? {} : { lastTransitionTime: now }
  const condition = { type: GATE, status: isOpen ? 'True' : 'False', reason, message, ...since }
  return { metadata: { resourceVersion: pod.version }, status: { conditions: [condition] } }
}

function opened(pod: GatedPod): readonly GateWrite[] {
  if (pod.gate?.isOpen && pod.gate.reason !== LAST) return []
  return [{ pod, isOpen: true, reason: HEALTHY, message: 'nothing stands against its node' }]
}

function closed(pod: GatedPod, reason: string): readonly GateWrite[] {
  if (pod.gate !== undefined && (!pod.gate.isOpen || pod.gate.reason === LAST)) return []
  return [{ pod, isOpen: false, reason, message: `its node is sick: ${reason}` }]
}

function lastOpened(pod: GatedPod): readonly GateWrite[] {
  if (pod.gate?.isOpen) return []
  return [{ pod, isOpen: true, reason: LAST, message: 'its node is sick, but no other pod of its group serves' }]
}

function hasEnded({ status }: PodObject): boolean {
  return ENDED_PHASES.includes(status?.phase ?? '')
}
