/** Leaving is not failing: a node that somebody takes out of service on purpose is not marked for it. */
import { conditionOf, type NodeObject } from './objects.ts'

const LEAVING_TAINTS: Readonly<Record<string, string>> = {
  ToBeDeletedByClusterAutoscaler: 'the autoscaler removes it',
  'node.cloudprovider.kubernetes.io/shutdown': 'its machine is shut down',
  'node.kubernetes.io/out-of-service': 'it is declared out of service',
  'karpenter.sh/disrupted': 'Karpenter replaces it',
  'karpenter.sh/disruption': 'Karpenter replaces it',
}

/** Types of KEP-5683: drain and maintenance as conditions, while True. */
const LEAVING_CONDITIONS = ['DrainStarted', 'Draining', 'Drained', 'MaintenanceStarted', 'UnderMaintenance'] as const

/** Why it is leaving; undefined when it is not. */
export function whyLeaving(node: NodeObject): string | undefined {
  if (node.metadata.deletionTimestamp !== undefined) return 'it is being deleted'
  const taint = node.spec?.taints?.find(({ key }) => Object.hasOwn(LEAVING_TAINTS, key))
  if (taint !== undefined) return LEAVING_TAINTS[taint.key]
  if (node.spec?.unschedulable === true) return 'it is cordoned'
  const condition = LEAVING_CONDITIONS.find((type) => conditionOf(node, type)?.status === 'True')
  return condition === undefined ? undefined : `its condition ${condition} is True`
}
