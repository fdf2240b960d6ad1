/** What a Node that was read tells of our own marks on it, and of whether its kubelet lives. */
import type { Standing } from '../../../mesh/core/model.ts'
import { parseEvidence } from './evidence.ts'
import { hasOwnReady, OWN_CONDITION } from './node-marks.ts'
import { conditionOf, type NodeObject } from './objects.ts'

/** The verdict that our condition on this node stands for; undefined when it stands for none. */
export function verdictOn(node: NodeObject): Standing | undefined {
  const own = conditionOf(node, OWN_CONDITION)
  const evidence = own?.status === 'False' ? parseEvidence(own.message) : undefined
  if (evidence?.verdict === undefined) return undefined
  return { verdictId: evidence.id, subject: node.metadata.name, ...evidence.verdict }
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
  return onNode !== undefined && (isWritten || isSame) && conditionOf(node, 'Ready')?.status === 'True'
}

/** Kubernetes itself holds it for not Ready. */
export function isMarkedByOthers(node: NodeObject): boolean {
  return conditionOf(node, 'Ready')?.status !== 'True' && !hasOwnReady(node)
}
