/** The parts of Kubernetes' objects that are looked at, and the objects that are made. */

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastHeartbeatTime?: string
  readonly lastTransitionTime?: string
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export interface Node {
  readonly metadata: ObjectMeta
  readonly spec: { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean }
  readonly status: {
    readonly conditions?: readonly Condition[]
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
  }
}

export interface Pod {
  readonly metadata: ObjectMeta
  readonly spec: { readonly nodeName?: string }
  readonly status: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

interface EndpointAddress {
  readonly nodeName?: string
  readonly targetRef?: { readonly name: string }
}

export interface Endpoints {
  readonly subsets?: readonly {
    readonly addresses?: readonly EndpointAddress[]
    readonly notReadyAddresses?: readonly EndpointAddress[]
  }[]
}

export interface EndpointSlice {
  readonly metadata: ObjectMeta
  readonly endpoints?:
    | readonly {
        readonly conditions: { readonly ready?: boolean }
        readonly targetRef?: { readonly name: string }
      }[]
    | null
}

export function conditionOf(object: Node | Pod, type: string): Condition | undefined {
  return object.status.conditions?.find((condition) => condition.type === type)
}

export function isReady(object: Node | Pod): boolean {
  return conditionOf(object, 'Ready')?.status === 'True'
}

/** A pod for that node, with the labels by which a Service chooses it, and the readiness gates that it declares. */
export function podOn(
  node: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  gates: readonly string[] = [],
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'none' }],
      readinessGates: gates.map((conditionType) => ({ conditionType })),
    },
  }
}

/** A Service of the pods with that label `app`. */
export function serviceOf(app: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: app },
    spec: { selector: { app }, ports: [{ port: 80 }] },
  }
}
