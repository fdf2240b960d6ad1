/** What a Node that was read tells of our own marks on it, and of whether its kubelet lives. */
import type { Finding } from '../../../detectors/contract.ts'
import type { Standing } from '../../../mesh/core/model.ts'
import { type Evidence, parseEvidence } from './evidence.ts'
import { hasOwnReady, OWN_CONDITION } from './node-marks.ts'
import { conditionOf, type NodeObject } from './objects.ts'

/** The verdict that our condition on this node stands for; undefined when it stands for none. */
export function verdictOn(node: NodeObject): Standing | undefined {
  const evidence = evidenceOn(node)
  if (evidence?.verdict === undefined) return undefined
  const { kind, incarnation } = evidence.verdict
  return { verdictId: evidence.id, subject: node.metadata.name, kind, incarnation }
}

/** The finding that our condition on this node stands for, as far as it says; undefined when it stands for none. */
export function findingOn(node: NodeObject): Finding | undefined {
  const own = conditionOf(node, OWN_CONDITION)
  const evidence = evidenceOn(node)
  if (own === undefined || evidence === undefined || evidence.verdict !== undefined) return undefined
  const [, detector = ''] = evidence.id.split('/')
  const [, reason = '', summary = ''] = /^([^:]*): (.*)$/s.exec(evidence.says) ?? []
  const since = own.lastTransitionTime ?? ''
  const status = own.reason === 'FindingError' ? 'error' : 'alarm'
  const said = { detector, reason, status, cause: '', summary, evidence: [] } as const
  return { id: evidence.id, node: node.metadata.name, ...said, since, observedAt: since, ttlMs: 0 }
}

function evidenceOn(node: NodeObject): Evidence | undefined {
  const own = conditionOf(node, OWN_CONDITION)
  return own?.status === 'False' ? parseEvidence(own.message) : undefined
}

/** Whether pods of this node may carry marks of ours, for all that the Node tells. */
export function mayHaveMarkedPods(node: NodeObject): boolean {
  const kind = verdictOn(node)?.kind
  return hasOwnReady(node) || kind === 'NodeDown' || kind === 'HostHung'
}

/**
 * Whether the node was made Ready by another than us since we wrote for this very verdict: only a living kubelet does that,
 * and it leaves our own condition there; who undoes our marks takes that away. `isWritten`: this process has written
 * Ready=False for it.
 */
export function showsLife(node: NodeObject, verdict: Standing, isWritten: boolean): boolean {
  const onNode = verdictOn(node)
  const isSame = onNode?.verdictId === verdict.verdictId && onNode.kind === verdict.kind
  // Where Ready was only to be written, by mode or for a hold, it is as the kubelet left it when it died.
  const isOurs = isWritten || (isSame && evidenceOn(node)?.verdict?.isReadyWritten === true)
  return onNode !== undefined && isOurs && conditionOf(node, 'Ready')?.status === 'True'
}

/** Whether it shows already that this host is hung: of such a verdict nothing is written before it was silent for long enough. */
export function showsHung(node: NodeObject, { kind, verdictId }: Standing): boolean {
  return kind === 'HostHung' && verdictOn(node)?.verdictId === verdictId
}

/** Kubernetes itself holds it for not Ready. */
export function isMarkedByOthers(node: NodeObject): boolean {
  return conditionOf(node, 'Ready')?.status !== 'True' && !hasOwnReady(node)
}

/** Verdicts that our marks on Nodes stand for: what a new leader knows beside its own record. */
export function verdictsOnNodes(nodes: readonly NodeObject[]): readonly Standing[] {
  return nodes.flatMap((node) => verdictOn(node) ?? [])
}
