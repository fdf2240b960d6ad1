/**
 * What a container runtime says of itself over CRI, the interface between kubelet and runtime (k8s.io/cri-api, runtime.v1
 * and before Kubernetes 1.26 runtime.v1alpha2, with the same numbers of fields).
 */
import { type CallOptions, type Host, RefusedCall } from '../contract.ts'
import { readMessage } from './protobuf.ts'

export interface RuntimeCondition {
  /** RuntimeReady, NetworkReady; others are a runtime's own. */
  readonly type: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

export interface RuntimeStatus {
  /** Such as `containerd 1.7.2`. */
  readonly runtime: string
  readonly conditions: readonly RuntimeCondition[]
}

/** The newer first. */
const SERVICES = ['runtime.v1.RuntimeService', 'runtime.v1alpha2.RuntimeService']
/** Of the statuses of gRPC: no such service or method. */
const UNIMPLEMENTED = 12
const NOTHING = new Uint8Array()

/** Undefined when the service at `socket` is there and does not know CRI. Throws as `Host.call`. */
export async function runtimeStatus(
  host: Host,
  socket: string,
  options: CallOptions,
): Promise<RuntimeStatus | undefined> {
  for (const service of SERVICES) {
    const ask = (method: string) => host.call(`unix:${socket}:/${service}/${method}`, NOTHING, options)
    try {
      const conditions = conditionsOf(await ask('Status'))
      return { runtime: runtimeOf(await ask('Version')), conditions }
    } catch (error) {
      if (!(error instanceof RefusedCall && error.status === UNIMPLEMENTED)) throw error
    }
  }
  return undefined
}

/** Of a StatusResponse. */
function conditionsOf(bytes: Uint8Array): readonly RuntimeCondition[] {
  const conditions: RuntimeCondition[] = []
  readMessage('what the runtime says of its status', bytes, {
    1: (status) =>
      readMessage('the status of the runtime', status.bytes(), {
        1: (condition) => conditions.push(conditionOf(condition.bytes())),
      }),
  })
  return conditions
}

function conditionOf(bytes: Uint8Array): RuntimeCondition {
  const condition = { type: '', status: false, reason: '', message: '' }
  readMessage('a condition of the runtime', bytes, {
    1: (value) => {
      condition.type = value.string()
    },
    2: (value) => {
      condition.status = value.bool()
    },
    3: (value) => {
      condition.reason = value.string()
    },
    4: (value) => {
      condition.message = value.string()
    },
  })
  return condition
}

/** Of a VersionResponse. */
function runtimeOf(bytes: Uint8Array): string {
  const words = { name: 'a runtime', version: '' }
  readMessage('the version of the runtime', bytes, {
    2: (value) => {
      words.name = value.string()
    },
    3: (value) => {
      words.version = value.string()
    },
  })
  return `${words.name} ${words.version}`.trim()
}
