/**
 * A mesh of real processes on a network of namespaces: on each machine an agent and a kubelet, each aggregator on one of
 * its own. Founded like a local mesh, so it runs what `starling up` runs, with the shipped ports and rules.
 */
import { join } from 'node:path'
import type { MemberView } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { type ApiClient, createClient } from '../../cli/client.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import type { LocalLayout, LocalNode } from '../../cli/local/layout.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { LocalProcess, type OwnedProcess } from '../../cli/local/processes.ts'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { SOURCE } from '../program.ts'
import { until, untilWhole } from '../whole.ts'
import { type Gate, openGate } from './gate.ts'
import { missingForNamespaces } from './namespace.ts'
import { type Machine, Network } from './network.ts'

/** As shipped (docs/contracts.md). */
const PORTS = { meshPort: 7790, metricsPort: 7791, kubeletPort: 10_250 }
const HTTP_PORT = 7780

export const ZONES: readonly string[] = ['zone-a', 'zone-b', 'zone-c']
const NODES_MAX = 200

export interface NodeProcesses {
  readonly agent: LocalProcess
  readonly kubelet: OwnedProcess
}

export interface Aggregator {
  readonly name: string
  readonly process: LocalProcess
  readonly client: ApiClient
  readonly gate: Gate
}

export interface MeshParts {
  /** One to five, each on a machine of the network. */
  readonly aggregators: readonly Machine[]
  /** More keys of the aggregators' files. */
  readonly aggregatorConfig?: Readonly<Record<string, unknown>>
  /** By node, started and ended by others. Without them each node has a stand-in. */
  readonly kubelets?: ReadonlyMap<string, OwnedProcess>
  /** By node: told where its files are, others start and end what runs there. Nothing waits for it. */
  readonly elsewhere?: ReadonlyMap<string, (node: LocalNode) => void>
  /** The `starling` program that is run. */
  readonly program: string
  /** Given out to the nodes in turn. */
  readonly zones: readonly string[]
}

/** The machine of aggregator `number`, counted from 1. */
export function aggregatorMachine(number: number): Machine {
  return { name: `aggregator-${number}`, address: `10.77.0.${249 + number}` }
}

/** The machine of node `number`, counted from 1. */
export function nodeMachine(number: number): Machine {
  return { name: `node-${number}`, address: `10.77.0.${number}` }
}

export class NamespaceMesh {
  readonly network: Network
  /** The machines of the agents, `node-1` and so on. */
  readonly machines: readonly Machine[]
  readonly aggregators: readonly [Aggregator, ...Aggregator[]]
  /** Of the first aggregator. */
  readonly client: ApiClient
  readonly #processes: ReadonlyMap<string, NodeProcesses>

  private constructor(
    network: Network,
    machines: readonly Machine[],
    aggregators: readonly [Aggregator, ...Aggregator[]],
    processes: ReadonlyMap<string, NodeProcesses>,
  ) {
    this.network = network
    this.machines = machines
    this.aggregators = aggregators
    this.client = aggregators[0].client
    this.#processes = processes
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
    const machines = Array.from({ length: size }, (_, index) => nodeMachine(index + 1))
    const aggregators = [aggregatorMachine(1)]
    const network = new Network([...machines, ...aggregators])
    try {
      const program = programIn(join(network.dir, 'program'))
      return await NamespaceMesh.on(network, machines, { aggregators, program, zones: ZONES })
    } catch (error) {
      network.remove()
      throw error
    }
  }

  /** The same on machines of a network that others use as well, and remove when this throws. */
  static async on(network: Network, machines: readonly Machine[], parts: MeshParts): Promise<NamespaceMesh> {
    const { aggregatorConfig = {}, kubelets, elsewhere = new Map(), program } = parts
    const layout = layOut(network.dir, machines, parts)
    await found(layout, { hostRoot: '/', logFormat: 'json', aggregatorConfig })
    const processOf = (node: LocalNode, name: string, args: readonly string[]) =>
      new LocalProcess(`${node.name} ${name}`, args, join(node.dir, `${name}.log`), {
        program,
        within: network.on(node.name),
        nodeFlags: name === 'agent' ? AGENT_NODE_FLAGS : [],
      })
    const token = readOrMakeToken(join(layout.dir, 'token'))
    const aggregatorOf = async (node: LocalNode): Promise<Aggregator> => {
      const gate = await openGate(network.on(node.name), HTTP_PORT)
      const client = createClient({ url: `http://127.0.0.1:${gate.port}`, token })
      const process = processOf(node, 'aggregator', ['aggregator', '--config', configFileOf(node)])
      return { name: node.name, process, client, gate }
    }
    const processesOf = (node: LocalNode): NodeProcesses => {
      const listen = ['--host', node.host, '--port', String(node.kubeletPort)]
      const kubelet = kubelets?.get(node.name) ?? processOf(node, 'kubelet', ['stand-in', ...listen])
      return { agent: processOf(node, 'agent', ['agent', '--config', configFileOf(node)]), kubelet }
    }
    const first = await aggregatorOf(layout.aggregator)
    const others = await Promise.all((layout.standbys ?? []).map(aggregatorOf))
    const here = layout.nodes.filter(({ name }) => !elsewhere.has(name))
    const processes = new Map(here.map((node) => [node.name, processesOf(node)]))
    const mesh = new NamespaceMesh(network, machines, [first, ...others], processes)
    for (const aggregator of mesh.aggregators) aggregator.process.start()
    for (const { agent, kubelet } of processes.values()) {
      agent.start()
      if (kubelets === undefined) kubelet.start()
    }
    for (const node of layout.nodes) elsewhere.get(node.name)?.(node)
    await mesh.untilWhole([...elsewhere.keys()])
    return mesh
  }

  /** As `untilWhole` of any of the aggregators. */
  async untilWhole(except: readonly string[] = []): Promise<void> {
    const [{ client }, ...standbys] = this.aggregators
    await untilWhole(
      client,
      except,
      standbys.map((each) => each.client),
    )
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
      const { process } = this.aggregators[0]
      process.signal('SIGKILL')
      await until(this.client, 'the end of the aggregator', () => !process.isRunning)
      process.start()
    }
    await this.untilWhole()
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
    for (const { gate } of this.aggregators) gate.close()
    this.network.remove()
  }
}

function layOut(dir: string, machines: readonly Machine[], { aggregators, zones }: MeshParts): LocalLayout {
  const place = ({ name, address }: Machine, index: number): LocalNode => {
    return { name, zone: zones[index % zones.length] ?? '', host: address, ...PORTS, dir: join(dir, name) }
  }
  const [aggregator, ...standbys] = aggregators.map(place)
  if (aggregator === undefined) throw new UsageError('a mesh without an aggregator', 'give one or more')
  return { dir, mesh: 'namespaces', httpPort: HTTP_PORT, nodes: machines.map(place), aggregator, standbys }
}
