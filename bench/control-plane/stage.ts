/**
 * Everything at once: a Kubernetes control plane, nodes with a kubelet and an agent each, and aggregators with the rights
 * that the manifests give them. What is done to it are methods of its parts: `network` (cables, packets), `kubelets` and
 * `plane` (programs), `mesh` (agents and aggregators).
 */
import { join } from 'node:path'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { aggregatorMachine, NamespaceMesh, nodeMachine, ZONES } from '../namespaces/mesh.ts'
import { type Heal, type Machine, Network } from '../namespaces/network.ts'
import { SOURCE } from '../program.ts'
import { Cluster } from './cluster.ts'
import { CONTROL_PLANE, ControlPlane, type NodeLifecycle } from './control-plane.ts'
import type { Daemon } from './daemon.ts'
import { hollowKubelet } from './hollow-kubelet.ts'
import { AGGREGATOR_ACCOUNT, manifest, NAMESPACE, ROLES } from './manifests.ts'
import { missingForNodes } from './programs.ts'

const NODES_MAX = 100
const AGGREGATORS_MAX = 5

export interface StageOptions {
  /** `node-1` and so on, with kubelet and agent; 1 to 100. */
  readonly nodes: number
  /** More nodes that have a kubelet only, to compare with; they are numbered on. */
  readonly nodesWithoutAgent?: number
  /** 0 to 5; with 0 there is no agent either. */
  readonly aggregators: number
  /** Given out to the nodes in turn. */
  readonly zones?: readonly string[]
  readonly lifecycle: NodeLifecycle
  /**
   * What the aggregators' files say under `kubernetes`, beside the `kubeconfig` of their service account. Without it that
   * section is not there, and the aggregators speak to no API server.
   */
  readonly kubernetes?: Readonly<Record<string, unknown>>
  /** Gives the program to run, which may be built in that folder; the sources, if nothing else is said. */
  readonly programIn?: (dir: string) => string
}

export class ControlPlaneStage {
  readonly network: Network
  readonly plane: ControlPlane
  readonly cluster: Cluster
  /** By node. */
  readonly kubelets: ReadonlyMap<string, Daemon>
  readonly #mesh: NamespaceMesh | undefined

  private constructor(plane: ControlPlane, cluster: Cluster, kubelets: Kubelets, mesh: NamespaceMesh | undefined) {
    this.network = plane.network
    this.plane = plane
    this.cluster = cluster
    this.kubelets = kubelets
    this.#mesh = mesh
  }

  /**
   * Resolves when the nodes are Ready and the mesh is whole. Throws UsageError for numbers out of bounds, and StarlingError
   * where a part of it cannot be had.
   */
  static async start(options: StageOptions): Promise<ControlPlaneStage> {
    const missing = missingForNodes()
    if (missing !== undefined) throw new StarlingError(`a control plane with nodes needs ${missing}`)
    const { nodes, nodesWithoutAgent = 0, aggregators, zones = ZONES, lifecycle } = options
    requireWhole('nodes', nodes + nodesWithoutAgent, 1, NODES_MAX)
    requireWhole('aggregators', aggregators, 0, AGGREGATORS_MAX)
    const machines = Array.from({ length: nodes + nodesWithoutAgent }, (_, index) => nodeMachine(index + 1))
    const leaders = Array.from({ length: aggregators }, (_, index) => aggregatorMachine(index + 1))
    const network = new Network([...machines, ...leaders, CONTROL_PLANE])
    try {
      const plane = await ControlPlane.start(network, lifecycle)
      const cluster = new Cluster(plane)
      const kubelets = await startKubelets(plane, machines, zones)
      await cluster.apply(manifest('namespace'), ...ROLES.map(manifest))
      await cluster.untilReady([...kubelets.keys()])
      const mesh =
        leaders.length === 0
          ? undefined
          : await NamespaceMesh.on(network, machines.slice(0, nodes), {
              aggregators: leaders,
              aggregatorConfig: await aggregatorConfig(plane, options),
              kubelets,
              program: options.programIn?.(join(network.dir, 'program')) ?? SOURCE,
              zones,
            })
      return new ControlPlaneStage(plane, cluster, kubelets, mesh)
    } catch (error) {
      network.remove()
      throw error
    }
  }

  /** Throws when there is none. */
  get mesh(): NamespaceMesh {
    if (this.#mesh === undefined) throw new Error('this stage has no aggregator, and so no mesh')
    return this.#mesh
  }

  kubelet(node: string): Daemon {
    const kubelet = this.kubelets.get(node)
    if (kubelet === undefined) throw new Error(`there is no node ${node}`)
    return kubelet
  }

  /** Cuts a node off from all other nodes and all aggregators, and not from the API server. */
  isolate(node: string): Promise<Heal> {
    const aggregators = this.#mesh?.aggregators.map(({ name }) => name) ?? []
    const others = [...this.kubelets.keys(), ...aggregators].filter((name) => name !== node)
    return this.network.cutOff(node, others)
  }

  /** Ends everything, whatever was done to it. */
  stop(): void {
    this.plane.close()
    if (this.#mesh === undefined) this.network.remove()
    else this.#mesh.stop()
  }
}

type Kubelets = ReadonlyMap<string, Daemon>

async function startKubelets(
  plane: ControlPlane,
  machines: readonly Machine[],
  zones: readonly string[],
): Promise<Kubelets> {
  const kubelets = await Promise.all(
    machines.map((machine, index) => hollowKubelet(plane, machine, zones[index % zones.length] ?? '')),
  )
  for (const kubelet of kubelets) kubelet.start()
  return new Map(machines.map(({ name }, index) => [name, kubelets[index] as Daemon]))
}

async function aggregatorConfig(plane: ControlPlane, { kubernetes }: StageOptions): Promise<Record<string, unknown>> {
  if (kubernetes === undefined) return {}
  const kubeconfig = await plane.kubeconfigOfAccount(NAMESPACE, AGGREGATOR_ACCOUNT)
  return { kubernetes: { kubeconfig, ...kubernetes } }
}

function requireWhole(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new UsageError(`a control plane with ${value} ${what}`, `give a whole number from ${min} to ${max}`)
}
