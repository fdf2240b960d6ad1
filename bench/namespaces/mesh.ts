/**
 * A mesh of real processes on a network of namespaces: on each machine an agent and a stand-in kubelet, the aggregator on
 * one of its own. Founded like a local mesh, so it runs what `starling up` runs, with the shipped ports and rules.
 */
import { join } from 'node:path'
import type { MemberView } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { type ApiClient, createClient } from '../../cli/client.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import type { LocalLayout, LocalNode } from '../../cli/local/layout.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { SOURCE } from '../program.ts'
import { until, untilWhole } from '../whole.ts'
import { type Gate, openGate } from './gate.ts'
import { missingForNamespaces } from './namespace.ts'
import { type Machine, Network } from './network.ts'

/** As shipped (docs/contracts.md). */
const PORTS = { meshPort: 7790, metricsPort: 7791, kubeletPort: 10_250 }
const HTTP_PORT = 7780

const ZONES = ['zone-a', 'zone-b', 'zone-c']
const NODES_MAX = 200
const AGGREGATOR: Machine = { name: 'aggregator-1', address: '10.77.0.250' }

export interface NodeProcesses {
  readonly agent: LocalProcess
  readonly kubelet: LocalProcess
}

export class NamespaceMesh {
  readonly network: Network
  /** The machines of the agents, `node-1` and so on. */
  readonly machines: readonly Machine[]
  readonly client: ApiClient
  readonly #processes: ReadonlyMap<string, NodeProcesses>
  readonly #aggregator: LocalProcess
  readonly #gate: Gate

  private constructor(
    layout: LocalLayout,
    machines: readonly Machine[],
    network: Network,
    gate: Gate,
    program: string,
  ) {
    this.network = network
    this.machines = machines
    this.#gate = gate
    const token = readOrMakeToken(join(layout.dir, 'token'))
    this.client = createClient({ url: `http://127.0.0.1:${gate.port}`, token })
    const processOf = (node: LocalNode, name: string, args: readonly string[]) =>
      new LocalProcess(`${node.name} ${name}`, args, join(node.dir, `${name}.log`), {
        program,
        within: network.on(node.name),
        nodeFlags: name === 'agent' ? AGENT_NODE_FLAGS : [],
      })
    const { aggregator } = layout
    this.#aggregator = processOf(aggregator, 'aggregator', ['aggregator', '--config', configFileOf(aggregator)])
    this.#processes = new Map(
      layout.nodes.map((node) => {
        const listen = ['--host', node.host, '--port', String(node.kubeletPort)]
        const agent = processOf(node, 'agent', ['agent', '--config', configFileOf(node)])
        return [node.name, { agent, kubelet: processOf(node, 'kubelet', ['stand-in', ...listen]) }]
      }),
    )
  }

  /**
   * Resolves when the mesh is whole. `size`: 1 to 200; `programIn`: gives the program to run, which may be built in the
   * folder of the mesh. Throws StarlingError where namespaces cannot be had.
   */
  static async start(size: number, programIn: (dir: string) => string = () => SOURCE): Promise<NamespaceMesh> {
    const missing = missingForNamespaces()
    if (missing !== undefined) throw new StarlingError(`a mesh in network namespaces needs ${missing}`)
    if (!Number.isInteger(size) || size < 1 || size > NODES_MAX)
      throw new UsageError(`a mesh of ${size} nodes`, `give a whole number from 1 to ${NODES_MAX}`)
    const machines = Array.from({ length: size }, (_, index): Machine => {
      return { name: `node-${index + 1}`, address: `10.77.0.${index + 1}` }
    })
    const network = new Network([...machines, AGGREGATOR])
    try {
      const layout = layOut(network.dir, machines)
      await found(layout, { hostRoot: '/', logFormat: 'json' })
      const gate = await openGate(network.on(AGGREGATOR.name), HTTP_PORT)
      const mesh = new NamespaceMesh(layout, machines, network, gate, programIn(join(network.dir, 'program')))
      mesh.#aggregator.start()
      for (const { agent, kubelet } of mesh.#processes.values()) {
        agent.start()
        kubelet.start()
      }
      await untilWhole(mesh.client)
      return mesh
    } catch (error) {
      network.remove()
      throw error
    }
  }

  /**
   * A death that nobody counts, for a bench: the first roll-call makes every agent compile its code, and here all of them
   * on one machine. Resolves as `whole`.
   */
  async rehearse(): Promise<string | null> {
    const [victim] = this.machines
    if (victim === undefined) return null
    this.network.pull(victim.name)
    await until(this.client, `a roll-call about ${victim.name}`, async () => {
      const { state } = await this.member(victim.name)
      return state === 'NodeDown' || (await this.client.state()).mesh.frozen !== null
    })
    this.network.plug(victim.name)
    return this.whole()
  }

  /**
   * Resolves when the mesh is whole, with why the leader had braked; null when it had not. Another leader is started then:
   * one that has braked marks nobody, or few, for eleven minutes, and what is measured next would be that.
   */
  async whole(): Promise<string | null> {
    const { frozen } = (await this.client.state()).mesh
    if (frozen !== null) {
      this.#aggregator.signal('SIGKILL')
      await until(this.client, 'the end of the aggregator', () => !this.#aggregator.isRunning)
      this.#aggregator.start()
    }
    await untilWhole(this.client)
    return frozen
  }

  processes(node: string): NodeProcesses {
    const processes = this.#processes.get(node)
    if (processes === undefined) throw new Error(`there is no node ${node}`)
    return processes
  }

  async member(node: string): Promise<MemberView> {
    const { members } = await this.client.state()
    const member = members.find((each) => each.node === node)
    if (member === undefined) throw new Error(`there is no member ${node}`)
    return member
  }

  /** Ends everything, whatever was done to it. */
  stop(): void {
    this.#gate.close()
    this.network.remove()
  }
}

function layOut(dir: string, machines: readonly Machine[]): LocalLayout {
  const place = ({ name, address }: Machine, index: number): LocalNode => {
    return { name, zone: ZONES[index % ZONES.length] ?? '', host: address, ...PORTS, dir: join(dir, name) }
  }
  return { dir, mesh: 'namespaces', httpPort: HTTP_PORT, nodes: machines.map(place), aggregator: place(AGGREGATOR, 0) }
}
