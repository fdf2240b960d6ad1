/** A running local mesh: an agent and a stand-in kubelet for each node, and the aggregator, all owned by this process. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ExitCode, StarlingError } from '../../common/errors.ts'
import { inLanes } from '../../common/in-lanes.ts'
import { CHAOS_ACTIONS, type ChaosAction, inflict } from './chaos.ts'
import { configFileOf } from './found.ts'
import type { LocalLayout, LocalNode } from './layout.ts'
import { answers } from './ports.ts'
import { LocalProcess } from './processes.ts'

/** An aggregator that died is started again after this: history and mesh tell it where things stand. */
const RESTART_AFTER_MS = 1_000

/** An agent listens half a second of processor time after its start; the next one waits no longer than this for it. */
const LISTENS_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 50

/**
 * What an agent takes in is small and soon let go of, yet Node by itself keeps up to 64 MB for the like of it, and four
 * threads to help with it: 27 MB more in an agent (docs/adr/0005). deploy/starling-agent.service has the same flags.
 */
export const AGENT_NODE_FLAGS = ['--max-semi-space-size=2', '--v8-pool-size=1']

/**
 * What an aggregator takes in is soon let go of, too: of 5,000 nodes Node by itself, on a large machine, keeps 134 MB for the
 * like of it, with this 17 MB, for the same processor time (docs/results.md).
 */
export const AGGREGATOR_NODE_FLAGS = ['--max-semi-space-size=8']

interface RunningNode {
  readonly node: LocalNode
  readonly agent: LocalProcess
  readonly kubelet: LocalProcess
}

export interface LocalMeshInit {
  readonly layout: LocalLayout
  /** Something that the person at the terminal should know. */
  tell(line: string): void
  /** A process was started, so `pids` has changed. */
  onStarted(): void
}

export class LocalMesh {
  readonly #init: LocalMeshInit
  readonly #nodes: readonly RunningNode[]
  readonly #aggregator: LocalProcess
  #isStopping = false

  constructor(init: LocalMeshInit) {
    this.#init = init
    this.#nodes = init.layout.nodes.map((node) => ({
      node,
      agent: new LocalProcess(node.name, ['agent', '--config', configFileOf(node)], join(node.dir, 'agent.log'), {
        nodeFlags: AGENT_NODE_FLAGS,
      }),
      kubelet: new LocalProcess(
        `${node.name} kubelet`,
        ['stand-in', '--host', node.host, '--port', String(node.kubeletPort), '--of', node.dir],
        join(node.dir, 'kubelet.log'),
      ),
    }))
    const { aggregator } = init.layout
    const args = ['aggregator', '--config', configFileOf(aggregator)]
    this.#aggregator = new LocalProcess(aggregator.name, args, join(aggregator.dir, 'aggregator.log'), {
      nodeFlags: AGGREGATOR_NODE_FLAGS,
    })
  }

  /**
   * As many agents at a time as there are processors, until each listens: of dozens that load and greet each other all at
   * once, few answer in time, the others are dialled anew, and that takes the processors from those that still load.
   */
  async start(): Promise<void> {
    this.#startAggregator()
    await inLanes(this.#nodes, availableParallelism(), async (next) => {
      if (this.#isStopping) return
      next.kubelet.start()
      next.agent.start()
      this.#init.onStarted()
      await this.#untilListening(next)
    })
  }

  async #untilListening({ agent, node }: RunningNode): Promise<void> {
    const deadline = performance.now() + LISTENS_WITHIN_MS
    const health = { host: node.host, port: node.metricsPort }
    while (agent.isRunning && performance.now() < deadline && !(await answers(health))) {
      await wait(LOOK_EVERY_MS)
    }
  }

  get #processes(): readonly LocalProcess[] {
    return [this.#aggregator, ...this.#nodes.flatMap(({ agent, kubelet }) => [agent, kubelet])]
  }

  /** Names of processes that have ended; none should have while the mesh starts. */
  ended(): readonly string[] {
    return this.#processes.filter((each) => each.hasEnded).map(({ name }) => name)
  }

  pids(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.#processes.map((each) => [each.name, each.pid]))
  }

  /** Throws StarlingError for an unknown action or node. */
  async chaos(action: string, name: string): Promise<string> {
    const target = this.#nodes.find(({ node }) => node.name === name)
    if (target === undefined) {
      throw new StarlingError(
        `there is no node ${name}; there is ${this.#nodes.map(({ node }) => node.name).join(', ')}`,
      )
    }
    if (!target.kubelet.isRunning) throw new StarlingError(`${name} has not been started yet`)
    if (!(CHAOS_ACTIONS as readonly string[]).includes(action)) throw new StarlingError(`there is no chaos ${action}`)
    const startAgent = () => {
      target.agent.start()
      this.#init.onStarted()
    }
    const done = await inflict(action as ChaosAction, { ...target, startAgent })
    this.#init.tell(done)
    return done
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#processes.map((each) => each.stop()))
  }

  #startAggregator(): void {
    this.#aggregator.start((code, signal) => {
      if (this.#isStopping) return
      const how = signal ?? `exit code ${code}`
      // A configuration error would end it again and again.
      if (code === ExitCode.usage) {
        this.#init.tell(`the aggregator ended (${how}) and is not started again; its log says why`)
        return
      }
      this.#init.tell(`the aggregator ended (${how}); it is started again`)
      setTimeout(() => {
        if (this.#isStopping) return
        this.#startAggregator()
        this.#init.onStarted()
      }, RESTART_AFTER_MS)
    })
  }
}
