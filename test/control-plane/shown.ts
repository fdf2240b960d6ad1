/** What the tests of marking look at on a Node, and the settings under which it is marked. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Cluster } from '../../bench/control-plane/cluster.ts'
import { conditionOf } from '../../bench/control-plane/objects.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import type { ApiClient } from '../../cli/client.ts'

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

/** Changes the settings, and resolves when the leader, whose client is given, has them in force. */
export async function settingsInForce(stage: ControlPlaneStage, leader: ApiClient, change: object): Promise<void> {
  const { version } = (await leader.state()).settings
  const file = join(stage.network.dir, 'settings.yaml')
  const document = parse(readFileSync(file, 'utf8'))
  writeFileSync(file, stringify({ ...document, version: document.version + 1, ...change }))
  await stage.cluster.until('the settings', async () => (await leader.state()).settings.version > version)
}
