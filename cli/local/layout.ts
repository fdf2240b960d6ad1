/**
 * Where everything of a local mesh is: one folder, one loopback address a node. Each node has an address of its own, as
 * machines do, so that the shipped rules about ports and hosts hold unchanged.
 */
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'

export interface LocalNode {
  readonly name: string
  readonly zone: string
  /** Of a node that is in none: left out. */
  readonly pool?: string
  /** Of an agent's node; `compute` when left out. */
  readonly roles?: readonly string[]
  readonly host: string
  readonly meshPort: number
  readonly kubeletPort: number
  readonly metricsPort: number
  readonly dir: string
}

export interface LocalLayout {
  readonly dir: string
  readonly mesh: string
  readonly httpPort: number
  readonly nodes: readonly LocalNode[]
  readonly aggregator: LocalNode
  /** More aggregators, beside the one that founds the mesh. */
  readonly standbys?: readonly LocalNode[]
}

export interface LayoutOptions {
  readonly dir: string
  readonly nodes: number
  readonly httpPort: number
  readonly meshPort: number
  readonly kubeletPort: number
}

/** Offsets that keep the ports of nodes apart where they must share one address. */
const METRICS_OFFSET = 1
const SHARED_STEP = 10

/** The plugins of all nodes of the mesh in `dir`. */
export function pluginsFolderOf(dir: string): string {
  return join(dir, 'plugins.d')
}

/** Who may use the API of the mesh in `dir` under a name of their own. */
export function peopleFileOf(dir: string): string {
  return join(dir, 'people.yaml')
}

/** Where 127.0.1.N cannot be used (macOS has 127.0.0.1 alone), nodes share one address and differ by port. */
export async function layOut({ dir, nodes, httpPort, meshPort, kubeletPort }: LayoutOptions): Promise<LocalLayout> {
  const folder = resolve(dir)
  const ownAddresses = await canListenOn('127.0.1.1')
  const place = (name: string, index: number): LocalNode => {
    const shift = ownAddresses ? 0 : index * SHARED_STEP
    return {
      name,
      zone: 'local',
      host: ownAddresses ? `127.0.1.${index}` : '127.0.0.1',
      meshPort: meshPort + shift,
      kubeletPort: kubeletPort + shift,
      metricsPort: meshPort + METRICS_OFFSET + shift,
      dir: join(folder, name),
    }
  }
  return {
    dir: folder,
    mesh: 'local',
    httpPort,
    nodes: Array.from({ length: nodes }, (_, index) => place(`node-${index + 1}`, index + 1)),
    aggregator: place('aggregator-1', 200),
  }
}

function canListenOn(host: string): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(0, host, () => server.close(() => done(true)))
  })
}
