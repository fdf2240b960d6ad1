/**
 * Shapes as specified: replies that servers of Kubernetes 1.25 to 1.33 may give, written by hand after the public API
 * reference. No such server was run. With them, fields that no version has, for those that are to come.
 */

export const CORE_VERSIONS = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
}

const GROUP = 'coordination.k8s.io'

export const LEASE_GROUP = {
  kind: 'APIGroup',
  apiVersion: 'v1',
  name: GROUP,
  versions: ['v1', 'v1beta1', 'v1alpha2'].map((version) => ({ groupVersion: `${GROUP}/${version}`, version })),
  preferredVersion: { groupVersion: `${GROUP}/v1`, version: 'v1' },
}

const AT = '2026-01-01T00:00:00Z'

const managedBy = (manager: string, operation: string, fields: object) => {
  return { manager, operation, apiVersion: 'v1', time: AT, fieldsType: 'FieldsV1', fieldsV1: fields }
}

/** 1.24: entries of a subresource; 1.31: runtimeHandlers and features; 1.34: swap. */
export const NODE = {
  kind: 'Node',
  apiVersion: 'v1',
  metadata: {
    name: 'a',
    uid: '7c1b2c3d-0000-4000-8000-000000000001',
    resourceVersion: '922337203685477580799',
    creationTimestamp: AT,
    labels: { 'topology.kubernetes.io/zone': 'z', 'kubernetes.io/hostname': 'a' },
    annotations: { 'csi.volume.kubernetes.io/nodeid': '{}' },
    managedFields: [
      managedBy('kubelet', 'Update', { 'f:metadata': {} }),
      { ...managedBy('kubelet', 'Update', { 'f:status': { 'f:conditions': {} } }), subresource: 'status' },
      { ...managedBy('somebody', 'Apply', { 'f:spec': { 'f:taints': {} } }) },
    ],
  },
  spec: {
    podCIDR: '10.244.0.0/24',
    podCIDRs: ['10.244.0.0/24', 'fd00::/80'],
    providerID: 'cloud:///a',
    taints: [{ key: 'example.com/other', effect: 'NoSchedule', timeAdded: AT, fieldToCome: { kept: true } }],
    fieldToCome: 'kept',
  },
  status: {
    capacity: { cpu: '4', 'ephemeral-storage': '100Gi', memory: '16Gi', pods: '110' },
    conditions: [
      { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', lastHeartbeatTime: AT },
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
        lastHeartbeatTime: AT,
        lastTransitionTime: AT,
        observedGeneration: 3,
      },
      { type: 'ConditionToCome', status: 'Unknown', severity: 'new' },
    ],
    addresses: [
      { type: 'InternalIP', address: '10.0.0.7' },
      { type: 'InternalIP', address: 'fd00::7' },
      { type: 'TypeToCome', address: 'a.internal' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
    nodeInfo: { kubeletVersion: 'v1.33.1', swap: { capacity: 0 } },
    runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: true } }],
    features: { supplementalGroupsPolicy: true },
    fieldToCome: ['kept'],
  },
}

/** 1.29: PodReadyToStartContainers; 1.33: generations, resizing; hostIPs and more of its containers in between. */
export const POD = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'web-0',
    namespace: 'shop',
    uid: '7c1b2c3d-0000-4000-8000-000000000002',
    resourceVersion: '922337203685477580801',
    generation: 2,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1', controller: true }],
    managedFields: [{ ...managedBy('kubelet', 'Update', { 'f:status': {} }), subresource: 'status' }],
  },
  spec: {
    nodeName: 'a',
    containers: [
      { name: 'main', image: 'none', resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] },
    ],
    resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpu' }],
    os: { name: 'linux' },
  },
  status: {
    phase: 'Running',
    observedGeneration: 2,
    hostIP: '10.0.0.7',
    hostIPs: [{ ip: '10.0.0.7' }, { ip: 'fd00::7' }],
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => {
      return { type, status: 'True', lastTransitionTime: AT, observedGeneration: 2 }
    }),
    containerStatuses: [{ name: 'main', ready: true, allocatedResources: { cpu: '1' }, user: { linux: { uid: 1 } } }],
    resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'gpu-x' }],
  },
}

/** 1.31: the fields of coordinated leader election. */
export const LEASE = {
  kind: 'Lease',
  apiVersion: `${GROUP}/v1`,
  metadata: { name: 'a', namespace: 'kube-node-lease', resourceVersion: '922337203685477580802' },
  spec: {
    holderIdentity: 'a',
    leaseDurationSeconds: 40,
    renewTime: '2026-01-01T00:00:00.000000Z',
    strategy: 'OldestEmulationVersion',
    preferredHolder: 'b',
  },
}

/** Every reply has them where priority and fairness is on. */
export const FAIRNESS_HEADERS = {
  'x-kubernetes-pf-flowschema-uid': '7c1b2c3d-0000-4000-8000-000000000003',
  'x-kubernetes-pf-prioritylevel-uid': '7c1b2c3d-0000-4000-8000-000000000004',
  'audit-id': '7c1b2c3d-0000-4000-8000-000000000005',
  warning: '299 - "something is deprecated"',
}

/** Said by the filter in front of the API, which speaks no JSON. */
export const TOO_MANY = 'Too many requests, please try again later.\n'

export function statusOf(code: number, reason: string, details: object = {}): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: reason, reason, details, code }
}

/** A bookmark has a version and nothing else; 1.27 says by an annotation that all that there was has been told. */
export const BOOKMARK = {
  type: 'BOOKMARK',
  object: {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      resourceVersion: '922337203685477580900',
      creationTimestamp: null,
      annotations: { 'k8s.io/initial-events-end': 'true' },
    },
    spec: {},
    status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: { kubeletVersion: '' } },
  },
}

/** A watch from a version that is forgotten begins with 200, and tells it as its first event. */
export const EXPIRED = { type: 'ERROR', object: statusOf(410, 'Expired') }
