/** What marking needs of a cluster, and the adapter that gets it from an API server. Nothing is cached, queued or repeated. */
import { ApiError, mayBeCarriedOut } from './api-error.ts'
import type { Authority } from './authority.ts'
import type { KubeClient, ResourceRef } from './client.ts'
import { nothingDesired } from './marking/desired.ts'
import { hasOwnMarks, statusChanges } from './marking/node-marks.ts'
import {
  conditionOf,
  type LeaseObject,
  type NodeObject,
  type PodObject,
  type StatusPatch,
  type Taint,
} from './marking/objects.ts'
import { mayUndo, undoOf } from './marking/pod-marks.ts'
import type { Times } from './times.ts'

const LEASE_GROUP = 'coordination.k8s.io'
const NODE_LEASES = 'kube-node-lease'

/** From the server's cache: as fresh as its watch of etcd, at no cost to etcd. Every write names the version it is for. */
const FROM_CACHE = { resourceVersion: '0' }

/** Each rejects with ApiError, after two seconds at the latest. */
export interface Cluster {
  /** Undefined when there is no such node. */
  node(name: string): Promise<NodeObject | undefined>
  nodes(): Promise<readonly NodeObject[]>
  podsOf(node: string): Promise<readonly PodObject[]>
  /** The same pod as it is now; undefined when it is gone. */
  pod(pod: PodObject): Promise<PodObject | undefined>
  /** The Lease that the node's kubelet renews; undefined when there is none. */
  heartbeatOf(node: string): Promise<LeaseObject | undefined>
  /** Conflict when the node was written since the version that the patch names. */
  patchNodeStatus(name: string, patch: StatusPatch): Promise<NodeObject>
  /** All taints, as they should be. Conflict as above. */
  setTaints(name: string, resourceVersion: string, taints: readonly Taint[]): Promise<NodeObject>
  /** Conflict as above; not-found when the pod is gone. */
  patchPodStatus(pod: PodObject, patch: StatusPatch): Promise<PodObject>
  /** Where `kubectl describe node` shows it. */
  tell(node: string, event: NodeEvent): Promise<void>
}

export interface NodeEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly at: string
}

interface List<T> {
  readonly items?: readonly T[] | null
}

export function createCluster({ call }: Pick<KubeClient, 'call'>): Cluster {
  const nodeRef = (name: string, subresource?: string): ResourceRef => {
    return { group: '', resource: 'nodes', name, ...(subresource === undefined ? {} : { subresource }) }
  }
  const podRef = ({ metadata }: PodObject, subresource?: string): ResourceRef => {
    const { name, namespace = 'default' } = metadata
    return { group: '', resource: 'pods', namespace, name, ...(subresource === undefined ? {} : { subresource }) }
  }
  const items = async <T>(ref: ResourceRef, query: Readonly<Record<string, string>>): Promise<readonly T[]> => {
    return (await call<List<T>>({ verb: 'list', ref, query })).items ?? []
  }
  return {
    node: (name) => unlessMissing(call<NodeObject>({ verb: 'get', ref: nodeRef(name) })),
    nodes: () => items<NodeObject>({ group: '', resource: 'nodes' }, FROM_CACHE),
    podsOf: (node) => {
      const query = { ...FROM_CACHE, fieldSelector: `spec.nodeName=${node}` }
      return items<PodObject>({ group: '', resource: 'pods' }, query)
    },
    pod: (pod) => unlessMissing(call<PodObject>({ verb: 'get', ref: podRef(pod) })),
    heartbeatOf: (name) => {
      const ref = { group: LEASE_GROUP, resource: 'leases', namespace: NODE_LEASES, name }
      return unlessMissing(call<LeaseObject>({ verb: 'get', ref }))
    },
    patchNodeStatus: (name, body) => call({ verb: 'patch', ref: nodeRef(name, 'status'), body }),
    setTaints: (name, resourceVersion, taints) => {
      // The list is replaced as a whole: only the version keeps what somebody else put there meanwhile.
      const body = { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } }
      return call({ verb: 'patch', ref: nodeRef(name), body, patch: 'merge' })
    },
    patchPodStatus: (pod, body) => call({ verb: 'patch', ref: podRef(pod, 'status'), body }),
    tell: async (node, { type, reason, message, at }) => {
      await call({
        verb: 'create',
        // Nodes have no namespace; events about them are kept in this one, under the uid that kubelets give them.
        ref: { group: '', resource: 'events', namespace: 'default' },
        body: {
          metadata: { generateName: `${node}.` },
          involvedObject: { kind: 'Node', name: node, uid: node },
          ...{ type, reason, message, source: { component: 'starling' } },
          ...{ firstTimestamp: at, lastTimestamp: at, count: 1 },
        },
      })
    },
  }
}

/**
 * The same cluster, written to only while this process may: asked right before each write. Asked again after it: what was
 * written by a process that was stopped in between is taken back, unless somebody has written since. Where it heard no
 * answer, it looks whether it was carried out.
 */
export function guarded(cluster: Cluster, authority: Authority, times: () => Times): Cluster {
  const requireLead = () => {
    if (!authority.mayWrite()) throw new NotLeading()
  }
  /** What was written, by its answer or, if this process leads no more, as it looks now. */
  const outcome = async <T>(write: Promise<T>, look: () => Promise<T | undefined>): Promise<T | undefined> => {
    try {
      return await write
    } catch (error) {
      if (authority.mayWrite() || !(error instanceof ApiError) || !mayBeCarriedOut(error.kind)) throw error
      return await look()
    }
  }
  return {
    ...cluster,
    patchNodeStatus: async (name, patch) => {
      requireLead()
      const written = await outcome(cluster.patchNodeStatus(name, patch), async () => {
        const node = await cluster.node(name)
        return node !== undefined && shows(node, patch) ? node : undefined
      })
      if (written !== undefined) {
        if (authority.mayWrite()) return written
        const back = statusChanges(written, nothingDesired('ready'), { term: authority.term, times: times() })
        const { resourceVersion } = written.metadata
        if (back.length > 0) {
          await cluster.patchNodeStatus(name, { metadata: { resourceVersion }, status: { conditions: back } })
        }
      }
      throw new NotLeading()
    },
    setTaints: async (...args) => {
      requireLead()
      return await cluster.setTaints(...args)
    },
    tell: async (...args) => {
      requireLead()
      await cluster.tell(...args)
    },
    patchPodStatus: async (pod, patch) => {
      requireLead()
      const written = await outcome(cluster.patchPodStatus(pod, patch), async () => {
        const node = await cluster.node(pod.spec?.nodeName ?? '')
        // Of a Node that is marked, whoever leads now finds the pods, or stands by their marks.
        return node === undefined || hasOwnMarks(node) ? undefined : await cluster.pod(pod)
      })
      if (written !== undefined) {
        if (authority.mayWrite()) return written
        if (mayUndo(written)) await cluster.patchPodStatus(written, undoOf(written, times().now))
      }
      throw new NotLeading()
    },
  }
}

/** Whether the node shows just what this patch writes: to the second, so it was this one. */
function shows(node: NodeObject, { status }: StatusPatch): boolean {
  return status.conditions.every((change) => {
    const shown = conditionOf(node, change.type)
    if ('$patch' in change) return shown === undefined
    return shown?.status === change.status && shown.lastTransitionTime === change.lastTransitionTime
  })
}

/** Another may lead by now: what was to be written is that one's to decide. */
export class NotLeading extends Error {
  override name = 'NotLeading'

  constructor() {
    super('this aggregator does not lead, or has not renewed its Lease for 5 s')
  }
}

async function unlessMissing<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'not-found') return undefined
    throw error
  }
}
