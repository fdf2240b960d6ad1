/** A mesh of real processes on which hosts can be made to die: on machines of its own as root, else on loopback. */
import type { ApiClient } from '../cli/client.ts'
import { askControl } from '../cli/local/control.ts'
import { UsageError } from '../common/errors.ts'
import type { Progress } from './bench.ts'
import { startLocalUp } from './local-up.ts'
import { NamespaceMesh } from './namespaces/mesh.ts'
import { missingForNamespaces } from './namespaces/namespace.ts'
import { SerfCluster } from './namespaces/serf.ts'
import { buildProgram } from './program.ts'
import { untilWhole } from './whole.ts'

export interface Stage {
  readonly client: ApiClient
  /** Holds a folder for each node, with its agent's log. */
  readonly dir: string
  readonly nodes: readonly string[]
  /** How a host is made to die, in words. */
  readonly death: string
  /** Serf agents beside ours on the same machines, where they were asked for. */
  readonly serf?: SerfCluster
  kill(node: string): Promise<void>
  /** Stops the programs of a host whose kernel goes on. */
  hang(node: string): Promise<void>
  /** Ends either, and resolves when the mesh, and serf where it runs, is whole again. */
  revive(node: string): Promise<void>
  stop(): Promise<void>
}

export interface StageOptions {
  readonly nodes: number
  /** `auto` is namespaces where they can be had. */
  readonly staging: string
  /** `serf` or nothing. */
  readonly against: string
  readonly httpPort: number
  readonly meshPort: number
}

/** Resolves when the mesh is whole. Throws UsageError for what there is not. */
export async function setStage(options: StageOptions, progress: Progress): Promise<Stage> {
  const { staging, against } = options
  if (against !== '' && against !== 'serf') throw new UsageError(`there is no rival "${against}"`, 'give serf')
  const isAuto = staging === 'auto'
  if (staging === 'namespaces' || (isAuto && missingForNamespaces() === undefined))
    return namespaceStage(options, progress)
  if (staging !== 'loopback' && !isAuto)
    throw new UsageError(`there is no staging "${staging}"`, 'give auto, namespaces or loopback')
  if (against !== '') throw new UsageError('serf runs in network namespaces', `they need ${missingForNamespaces()}`)
  return loopbackStage(options)
}

async function namespaceStage({ nodes, against }: StageOptions, progress: Progress): Promise<Stage> {
  const mesh = await NamespaceMesh.start(nodes, buildProgram)
  try {
    progress(`rehearsed, the leader braked: ${(await mesh.rehearse()) ?? 'no'}`)
    const serf = against === 'serf' ? await SerfCluster.start(mesh.network, mesh.machines) : undefined
    const signal = (node: string, name: 'SIGSTOP' | 'SIGCONT') => {
      mesh.processes(node).agent.signal(name)
      mesh.processes(node).kubelet.signal(name)
      serf?.signal(node, name)
    }
    return {
      client: mesh.client,
      dir: mesh.network.dir,
      nodes: mesh.machines.map(({ name }) => name),
      death: 'cable pulled',
      ...(serf === undefined ? {} : { serf }),
      kill: async (node) => mesh.network.pull(node),
      hang: async (node) => signal(node, 'SIGSTOP'),
      revive: async (node) => {
        mesh.network.plug(node)
        signal(node, 'SIGCONT')
        await serf?.rejoin(node)
        const [braked] = await Promise.all([mesh.whole(), serf?.untilWhole()])
        if (braked !== null) progress(`another leader is started, since this one braked: ${braked}`)
      },
      stop: async () => mesh.stop(),
    }
  } catch (error) {
    mesh.stop()
    throw error
  }
}

async function loopbackStage({ nodes, httpPort, meshPort }: StageOptions): Promise<Stage> {
  const { client, dir, stop } = await startLocalUp({ nodes, httpPort, meshPort })
  const chaos = async (action: string, node: string) => {
    await askControl(dir, action, node)
  }
  try {
    await untilWhole(client)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    client,
    dir,
    nodes: Array.from({ length: nodes }, (_, index) => `node-${index + 1}`),
    death: 'SIGSTOP of agent and stand-in kubelet, accept queues filled',
    kill: (node) => chaos('kill', node),
    hang: (node) => chaos('hang', node),
    revive: async (node) => {
      await chaos('resume', node)
      await untilWhole(client)
    },
    stop,
  }
}
