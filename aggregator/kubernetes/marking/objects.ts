/** What marking reads of Kubernetes' objects, as their JSON has it: times stay text, what is not named here is not touched. */

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastHeartbeatTime?: string
  readonly lastTransitionTime?: string
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
  readonly timeAdded?: string
}

export interface NodeObject {
  readonly metadata: Metadata
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } }
  }
}

export interface PodObject {
  readonly metadata: Metadata
  readonly spec?: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    readonly readinessGates?: readonly { readonly conditionType: string }[]
  }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

export interface LeaseObject {
  readonly metadata: Metadata
  readonly spec?: { readonly leaseDurationSeconds?: number; readonly renewTime?: string }
}

/** Of a strategic merge: merged by `type`; a field that is null goes, as does the condition with the directive. */
export type ConditionPatch =
  | {
      readonly type: string
      readonly status: string
      readonly reason: string | null
      readonly message: string | null
      readonly lastTransitionTime?: string
      readonly lastHeartbeatTime?: string
    }
  | { readonly type: string; readonly $patch: 'delete' }

/** Carried out only on the version it was made for: what was written since is newer than what it was made from. */
export interface StatusPatch {
  readonly metadata: { readonly resourceVersion: string }
  readonly status: { readonly conditions: readonly ConditionPatch[] }
}

export function conditionOf(
  object: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type)
}

/** The labels by which clouds and people name pools, the most deliberate first. */
const POOL_LABELS = [
  'starling.mesh/pool',
  'karpenter.sh/nodepool',
  'cloud.google.com/gke-nodepool',
  'eks.amazonaws.com/nodegroup',
  'kubernetes.azure.com/agentpool',
] as const

/** The pool that a node's labels name; undefined when none does. */
export function poolOf({ metadata }: NodeObject): string | undefined {
  return POOL_LABELS.map((label) => metadata.labels?.[label]).find((pool) => pool !== undefined)
}

export function zoneOf({ metadata }: NodeObject): string {
  return metadata.labels?.['topology.kubernetes.io/zone'] ?? ''
}
