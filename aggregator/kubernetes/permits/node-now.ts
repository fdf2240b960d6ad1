/** What a Node object says about whether somebody has the node in hand, and whether it may be mended. Pure. */
import type { NodeNow } from '../../permits/outside.ts'
import { conditionOf, type NodeObject, poolOf, zoneOf } from '../marking/objects.ts'
import { rolesOf } from '../roster/listed-node.ts'

const SKIP = 'starling.mesh/skip'
const PAUSED_UNTIL = 'starling.mesh/paused-until'

/** By the key of the taint that each puts on a node that it is about to empty, restart or remove. */
const TAINTS: Readonly<Record<string, string>> = {
  // cluster-autoscaler, utils/taints: the first when it drains the node, the second when it may soon.
  ToBeDeletedByClusterAutoscaler: 'cluster-autoscaler is removing it',
  DeletionCandidateOfClusterAutoscaler: 'cluster-autoscaler may remove it',
  'karpenter.sh/disrupted': 'Karpenter is replacing it',
  // node-maintenance-operator, and the remediators of medik8s that NodeHealthCheck starts.
  'medik8s.io/drain': 'it is under maintenance (NodeMaintenance)',
  'medik8s.io/remediation': 'medik8s is remediating it',
  'node.kubernetes.io/out-of-service': 'it was declared out of service',
}

/** kured, when it is told to annotate nodes; else its cordon shows. */
const ANNOTATIONS: Readonly<Record<string, string>> = {
  'weave.works/kured-reboot-in-progress': 'kured is rebooting it',
}

/** `isKureds`: it has kured's lock. */
export function nodeNow(node: NodeObject, blockingPods: readonly string[], isKureds = false): NodeNow {
  return {
    zone: zoneOf(node),
    pool: poolOf(node) || undefined,
    roles: rolesOf(node),
    // One that never said how it is, is not known to be well.
    isReady: conditionOf(node, 'Ready')?.status === 'True',
    takenBy: takenBy(node, isKureds),
    paused: paused(node),
    blockingPods,
  }
}

function takenBy({ metadata, spec }: NodeObject, isKureds: boolean): string | undefined {
  const reasons = [
    ...(metadata.deletionTimestamp === undefined ? [] : ['its Node is being deleted']),
    ...(spec?.taints ?? []).flatMap(({ key }) => TAINTS[key] ?? []),
    ...Object.keys(metadata.annotations ?? {}).flatMap((key) => ANNOTATIONS[key] ?? []),
    ...(isKureds ? ['kured has its lock on it'] : []),
    ...(spec?.unschedulable === true ? ['it is cordoned'] : []),
  ]
  return reasons.length === 0 ? undefined : reasons.join(', ')
}

function paused({ metadata: { annotations = {} } }: NodeObject): NodeNow['paused'] {
  const skip = annotations[SKIP]
  // Any other value, also none, is meant.
  if (skip !== undefined && skip !== 'false') {
    return { by: `annotation ${SKIP}`, reason: 'the node is to be left alone', until: undefined }
  }
  const until = annotations[PAUSED_UNTIL]
  if (until === undefined) return undefined
  const by = `annotation ${PAUSED_UNTIL}`
  // What is no time never comes; it was meant to hold something back.
  if (Number.isNaN(Date.parse(until))) {
    return { by, reason: 'it names no time as 2026-01-31T12:00:00Z', until: undefined }
  }
  return { by, reason: 'the node is to be left alone until then', until: new Date(until).toISOString() }
}
