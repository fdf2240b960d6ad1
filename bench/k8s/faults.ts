/** What is done to nodes of a cluster, and how long it took until the cluster showed it: each ends with all as before. */
import { setTimeout as wait } from 'node:timers/promises'
import type { ControlPlaneStage } from '../control-plane/stage.ts'
import { firstAtMs, follow, isComplete, isMarked, isServed, isUnserved, type Shown, secondsOut } from './shown.ts'
import type { Workload } from './workload.ts'

/** Given up after this; counted as missed. */
const DEATH_WITHIN_MS = 15_000
const LEADERLESS_WITHIN_MS = 40_000
const STOCK_WITHIN_MS = 120_000
const BACK_WITHIN_MS = 180_000

/** Seconds from the link's end; undefined for what did not come in time. */
export interface Death {
  readonly ready: number | undefined
  /** Until none of the node's pods is in Endpoints and EndpointSlices. */
  readonly endpoints: number | undefined
  readonly pods: number | undefined
}

export interface Outage {
  /** From the link's return until all are in endpoints again. */
  readonly completeAfterLink: number | undefined
  /** From the mesh's word that it has recovered; negative when they were before. */
  readonly completeAfterRecovery: number | undefined
  /** Pods times seconds out of endpoints. */
  readonly price: number
}

export class Faults {
  readonly #stage: ControlPlaneStage
  readonly #workload: Workload

  constructor(stage: ControlPlaneStage, workload: Workload) {
    this.#stage = stage
    this.#workload = workload
  }

  /** A node with an agent. */
  death(node: string): Promise<Death> {
    return this.#die([node], node, isMarked, DEATH_WITHIN_MS)
  }

  /** The same, with the machine of the aggregator that leads at that moment. */
  deathWithLeader(node: string, leader: string): Promise<Death> {
    return this.#die([node, leader], node, isMarked, LEADERLESS_WITHIN_MS)
  }

  /** A node without one: Kubernetes alone. */
  stockDeath(node: string): Promise<Death> {
    return this.#die([node], node, ({ ready }) => !ready.startsWith('True '), STOCK_WITHIN_MS)
  }

  /** A link of a node with an agent that is down for so long. */
  async outage(node: string, seconds: number): Promise<Outage> {
    const fromMs = Date.now()
    const { samples, pluggedAtMs } = await this.#interrupt(node, seconds)
    await this.#stage.mesh.untilWhole()
    const completeAtMs = firstAtMs(samples, (shown) => shown.atMs > pluggedAtMs && isServed(shown, this.#workload))
    return {
      completeAfterLink: secondsBetween(pluggedAtMs, completeAtMs),
      completeAfterRecovery: secondsBetween(await this.#recoveredAtMs(node, fromMs), completeAtMs),
      price: secondsOut(samples, this.#workload),
    }
  }

  /** The same of a node without one: the price alone. */
  async stockOutage(node: string, seconds: number): Promise<Pick<Outage, 'price'>> {
    const { samples } = await this.#interrupt(node, seconds)
    return { price: secondsOut(samples, this.#workload) }
  }

  async #interrupt(node: string, seconds: number) {
    const { network } = this.#stage
    let pluggedAtMs = Number.POSITIVE_INFINITY
    network.pull(node)
    const plugged = wait(seconds * 1_000).then(() => {
      network.plug(node)
      pluggedAtMs = Date.now()
    })
    const isOver = (shown: Shown) => shown.atMs > pluggedAtMs && this.#isComplete(shown)
    const followed = follow(this.#stage, node, isOver, seconds * 1_000 + BACK_WITHIN_MS)
    const [samples] = await Promise.all([followed, plugged])
    return { samples, pluggedAtMs }
  }

  async #die(
    machines: readonly string[],
    node: string,
    isNotReady: (shown: Shown) => boolean,
    withinMs: number,
  ): Promise<Death> {
    const { network } = this.#stage
    const isGone = (shown: Shown) => isNotReady(shown) && isUnserved(shown) && shown.readyPods === 0
    const pulledAtMs = Date.now()
    for (const machine of machines) network.pull(machine)
    const samples = await follow(this.#stage, node, isGone, withinMs)
    const agents = await this.#endAgents(machines)
    for (const machine of machines) network.plug(machine)
    for (const agent of agents) agent.start()
    await follow(this.#stage, node, (shown) => this.#isComplete(shown), BACK_WITHIN_MS)
    await this.#stage.cluster.untilReady([node])
    const since = (is: (shown: Shown) => boolean) => secondsBetween(pulledAtMs, firstAtMs(samples, is))
    return { ready: since(isNotReady), endpoints: since(isUnserved), pods: since(({ readyPods }) => readyPods === 0) }
  }

  /**
   * A host that was dead comes back with another life of its agent. One that came back in the same life twice within ten
   * minutes has bad links to the mesh, and its next verdict waits (docs/protocol.md section 4).
   */
  async #endAgents(machines: readonly string[]) {
    const { mesh, cluster } = this.#stage
    const members = machines.filter((machine) => mesh.machines.some(({ name }) => name === machine))
    const agents = members.map((node) => mesh.processes(node).agent)
    for (const agent of agents) agent.signal('SIGKILL')
    await cluster.until('the end of the agents', () => agents.every(({ isRunning }) => !isRunning))
    return agents
  }

  #isComplete(shown: Shown): boolean {
    return isComplete(shown, this.#workload)
  }

  /** By whichever aggregator tells; undefined when none does. */
  async #recoveredAtMs(node: string, afterMs: number): Promise<number | undefined> {
    const told = this.#stage.mesh.aggregators.map(({ client }) => {
      return client.events({ node, kinds: ['recovered'], limit: 1 }).catch(() => [])
    })
    const times = (await Promise.all(told)).flat().map(({ at }) => Date.parse(at))
    return times.filter((atMs) => atMs > afterMs).toSorted((a, b) => a - b)[0]
  }
}

function secondsBetween(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : (toMs - fromMs) / 1_000
}
