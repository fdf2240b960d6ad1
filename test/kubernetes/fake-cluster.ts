/**
 * A cluster in memory, as an API server keeps one: versions, conflicts, merges by condition type, writes that change
 * nothing. It passes the same conformance suite as the real one.
 */
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { Cluster } from '../../aggregator/kubernetes/cluster.ts'
import type { OptedPods, PodNews } from '../../aggregator/kubernetes/gates/opted-pods.ts'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import type {
  Condition,
  ConditionPatch,
  LeaseObject,
  Metadata,
  NodeObject,
  PodObject,
  StatusPatch,
  Taint,
} from '../../aggregator/kubernetes/marking/objects.ts'

export interface FakeCluster extends Cluster {
  /** Puts an object there, or replaces it; it gets the next version. */
  putNode(node: Omit<NodeObject, 'metadata'> & { metadata: Partial<Metadata> & { name: string } }): void
  putPod(pod: Omit<PodObject, 'metadata'> & { metadata: Partial<Metadata> & { name: string } }): void
  deleteNode(name: string): void
  deletePod(namespace: string, name: string): void
  /** A kubelet renews its Lease. */
  renew(node: string, leaseSeconds?: number): void
  nodeOf(name: string): NodeObject | undefined
  readonly pods: readonly PodObject[]
  /** Called before each request; throws what the request is to fail with. */
  before: (request: string, object: string) => void
  /** Called when a patch of a status was carried out; throws what its answer is lost by. */
  after: (request: string, object: string) => void
  /** Opted-in pods of this cluster; each source is told what becomes of them, as it becomes. */
  watchPods(): OptedPods
  /** All requests so far, as `patch pods/status default/a`. */
  readonly requests: readonly string[]
}

export function createFakeCluster(): FakeCluster {
  let version = 100
  const nodes = new Map<string, NodeObject>()
  const pods = new Map<string, PodObject>()
  const leases = new Map<string, LeaseObject>()
  const requests: string[] = []
  const watchers = new Set<(news: PodNews) => void>()
  const tell = (kind: 'pod' | 'gone', pod: PodObject) => {
    if (pod.metadata.labels?.[GATE] === undefined) return
    for (const told of watchers) told({ kind, pod })
  }
  const next = () => String(++version)
  const keyOf = ({ metadata }: { metadata: Partial<Metadata> & { name: string } }) =>
    `${metadata.namespace ?? 'default'}/${metadata.name}`

  const request = async (verb: string, object: string): Promise<void> => {
    requests.push(`${verb} ${object}`)
    fake.before(verb, object)
    await Promise.resolve()
  }
  /** Writes what an API server would: nothing, and no new version, when nothing changes. */
  const write = <T extends { readonly metadata: Metadata }>(
    all: Map<string, T>,
    key: string,
    old: T,
    changed: T,
  ): T => {
    if (JSON.stringify(old) === JSON.stringify(changed)) return old
    const written = { ...changed, metadata: { ...changed.metadata, resourceVersion: next() } }
    all.set(key, written)
    return written
  }
  const found = <T extends { readonly metadata: Metadata }>(
    all: Map<string, T>,
    key: string,
    resourceVersion: string,
  ): T => {
    const object = all.get(key)
    if (object === undefined) throw new ApiError('not-found', 404, `${key} not found`)
    if (object.metadata.resourceVersion === resourceVersion) return object
    throw new ApiError('conflict', 409, 'the object has been modified')
  }

  const fake: FakeCluster = {
    before: () => {},
    after: () => {},
    requests,
    nodeOf: (name) => nodes.get(name),
    get pods() {
      return [...pods.values()]
    },
    putNode: (node) => {
      nodes.set(node.metadata.name, { ...node, metadata: { ...node.metadata, resourceVersion: next() } })
    },
    putPod: (pod) => {
      const metadata = { namespace: 'default', ...pod.metadata, resourceVersion: next() }
      const put = { ...pod, metadata }
      pods.set(keyOf(pod), put)
      tell('pod', put)
    },
    deleteNode: (name) => void nodes.delete(name),
    deletePod: (namespace, name) => {
      const pod = pods.get(`${namespace}/${name}`)
      if (pod === undefined) return
      pods.delete(keyOf(pod))
      tell('gone', { ...pod, metadata: { ...pod.metadata, resourceVersion: next() } })
    },
    watchPods: () => {
      let watcher = (_news: PodNews) => {}
      return {
        start: (told) => {
          watcher = told
          watchers.add(told)
          told({ kind: 'anew' })
          for (const pod of pods.values()) if (pod.metadata.labels?.[GATE] !== undefined) told({ kind: 'pod', pod })
          told({ kind: 'whole' })
        },
        stop: () => void watchers.delete(watcher),
      }
    },
    renew: (node, leaseSeconds = 40) => {
      const metadata = { name: node, namespace: 'kube-node-lease', resourceVersion: next() }
      leases.set(node, { metadata, spec: { leaseDurationSeconds: leaseSeconds } })
    },
    node: async (name) => {
      await request('get nodes', name)
      return nodes.get(name)
    },
    nodes: async () => {
      await request('list nodes', '')
      return [...nodes.values()]
    },
    podsOf: async (node) => {
      await request('list pods', node)
      return [...pods.values()].filter(({ spec }) => spec?.nodeName === node)
    },
    pod: async (pod) => {
      await request('get pods', keyOf(pod))
      return pods.get(keyOf(pod))
    },
    heartbeatOf: async (node) => {
      await request('get leases', node)
      return leases.get(node)
    },
    patchNodeStatus: async (name, patch) => {
      await request('patch nodes/status', name)
      const node = found(nodes, name, patch.metadata.resourceVersion)
      const written = write(nodes, name, node, merged(node, patch))
      fake.after('patch nodes/status', name)
      return written
    },
    setTaints: async (name, resourceVersion, taints) => {
      await request('patch nodes', name)
      const node = found(nodes, name, resourceVersion)
      const { taints: _, ...spec } = node.spec ?? {}
      const changed: readonly Taint[] = taints
      return write(nodes, name, node, { ...node, spec: changed.length === 0 ? spec : { ...spec, taints: changed } })
    },
    tell: async (name, { type, reason }) => await request(`tell ${type} ${reason}`, name),
    patchPodStatus: async (pod, patch) => {
      await request('patch pods/status', keyOf(pod))
      const known = found(pods, keyOf(pod), patch.metadata.resourceVersion)
      const written = write(pods, keyOf(pod), known, merged(known, patch))
      if (written !== known) tell('pod', written)
      fake.after('patch pods/status', keyOf(pod))
      return written
    },
  }
  return fake
}

/** A strategic merge of conditions: by type, null takes a field away, the directive the whole condition. */
export function merged<T extends { readonly status?: { readonly conditions?: readonly Condition[] } }>(
  object: T,
  { status }: Pick<StatusPatch, 'status'>,
): T {
  let conditions = [...(object.status?.conditions ?? [])]
  for (const change of status.conditions) {
    const at = conditions.findIndex(({ type }) => type === change.type)
    if ('$patch' in change) conditions = conditions.filter(({ type }) => type !== change.type)
    else if (at < 0) conditions.push(mergedCondition({ type: change.type, status: '' }, change))
    else conditions[at] = mergedCondition(conditions[at] ?? { type: change.type, status: '' }, change)
  }
  return { ...object, status: { ...object.status, conditions } }
}

function mergedCondition(old: Condition, change: ConditionPatch): Condition {
  const all = Object.entries({ ...old, ...change }).filter(([, value]) => value !== null)
  return Object.fromEntries(all) as unknown as Condition
}
