/** What the tests of marking look at on a Node. */
import type { Cluster } from '../../bench/control-plane/cluster.ts'
import { conditionOf } from '../../bench/control-plane/objects.ts'

export interface Shown {
  /** Status and reason of Ready. */
  readonly ready: string
  readonly heartbeat: string | undefined
  /** The reason of our own condition. */
  readonly own: string | undefined
  /** Its message, which ends in the verdict that it stands for. */
  readonly says: string | undefined
  /** `key` or `key=value`. */
  readonly taints: readonly string[]
}

export async function shownOn(cluster: Cluster, name: string): Promise<Shown> {
  const node = await cluster.node(name)
  const [ready, own] = [conditionOf(node, 'Ready'), conditionOf(node, 'StarlingHealthy')]
  const taints = node.spec.taints?.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)) ?? []
  return {
    ready: `${ready?.status} ${ready?.reason}`,
    heartbeat: ready?.lastHeartbeatTime,
    own: own?.reason,
    says: own?.message,
    taints,
  }
}
