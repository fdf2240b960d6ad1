/** Nodes and pods as an API server shows them, for tests. */
import type { Condition, Metadata, NodeObject, PodObject, Taint } from '../../aggregator/kubernetes/marking/objects.ts'

export const BEATEN_AT = '2026-01-01T00:00:00Z'

export interface NodeWords {
  readonly ready?: Partial<Condition>
  readonly conditions?: readonly Condition[]
  readonly taints?: readonly Taint[]
  readonly unschedulable?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
}

/** A node that is well, but for what is said. */
export function node(name: string, words: NodeWords = {}): NodeObject {
  const { ready, conditions = [], taints, unschedulable, labels, deletionTimestamp } = words
  const metadata: Metadata = {
    name,
    resourceVersion: '1',
    ...(labels === undefined ? {} : { labels }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  }
  const spec = {
    ...(unschedulable === undefined ? {} : { unschedulable }),
    ...(taints === undefined ? {} : { taints }),
  }
  return { metadata, spec, status: { conditions: [...conditions, { ...READY, ...ready }] } }
}

export const READY: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'KubeletReady',
  message: 'kubelet is posting ready status',
  lastHeartbeatTime: BEATEN_AT,
  lastTransitionTime: BEATEN_AT,
}

export interface PodWords {
  readonly phase?: string
  readonly ready?: Partial<Condition>
  readonly containersReady?: string
  readonly hostNetwork?: boolean
  readonly ownerKind?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly gates?: readonly (readonly [type: string, status: string])[]
  readonly deletionTimestamp?: string
}

/** A pod that runs and is Ready, but for what is said. */
export function pod(name: string, nodeName: string, words: PodWords = {}): PodObject {
  const { phase = 'Running', ready, containersReady = 'True', hostNetwork, ownerKind, annotations, gates = [] } = words
  const { deletionTimestamp, labels } = words
  const at = { lastTransitionTime: BEATEN_AT }
  return {
    metadata: {
      name,
      namespace: 'default',
      resourceVersion: '1',
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
      ...(ownerKind === undefined ? {} : { ownerReferences: [{ kind: ownerKind, name: 'owner' }] }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      nodeName,
      ...(hostNetwork === undefined ? {} : { hostNetwork }),
      ...(gates.length === 0 ? {} : { readinessGates: gates.map(([conditionType]) => ({ conditionType })) }),
    },
    status: {
      phase,
      conditions: [
        { type: 'Ready', status: 'True', ...at, ...ready },
        { type: 'ContainersReady', status: containersReady, ...at },
        ...gates.map(([type, status]) => ({ type, status, ...at })),
      ],
    },
  }
}
