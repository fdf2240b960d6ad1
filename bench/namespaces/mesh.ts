/**
 * A mesh of real processes on a network of namespaces: on each machine an agent and a stand-in kubelet, the aggregator on
 * one of its own. Founded like a local mesh, so it runs what `starling up` runs, with the shipped ports and rules.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { MemberView, Snapshot, StoredEvent } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { type ApiClient, createClient } from '../../cli/client.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import type { LocalLayout, LocalNode } from '../../cli/local/layout.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import { messageOf, StarlingError } from '../../common/errors.ts'
import { type Gate, openGate } from './gate.ts'
import { missingForNamespaces } from './namespace.ts'
import { Network } from './network.ts'

/** As shipped (docs/contracts.md). */
const PORTS = { meshPort: 7790, metricsPort: 7791, kubeletPort: 10_250 }
const HTTP_PORT = 7780

const ZONES = ['zone-a', 'zone-b', 'zone-c']
const NODES_MAX = 200
const AGGREGATOR_HOST = 250

const LOOK_EVERY_MS = 200
const CALM_FOR_MS = 2_000
const AT_ONCE_MS = 150
/** Generous: two cores start 32 agents and their stand-ins in a minute. */
const WITHIN_MS = 180_000
const LOG_TAIL_LINES = 12
const EVENTS_MAX = 1_000

export interface NodeProcesses {
  readonly agent: LocalProcess
  readonly kubelet: LocalProcess
}

export class NamespaceMesh {
  readonly network: Network
  readonly client: ApiClient
  /** `node-1` and so on. */
  readonly nodes: readonly string[]
  readonly #layout: LocalLayout
  readonly #processes: ReadonlyMap<string, NodeProcesses>
  readonly #aggregator: LocalProcess
  readonly #gate: Gate

  private constructor(layout: LocalLayout, network: Network, gate: Gate) {
    this.#layout = layout
    this.network = network
    this.#gate = gate
    this.nodes = layout.nodes.map(({ name }) => name)
    this.client = createClient({
      url: `http://127.0.0.1:${gate.port}`,
      token: readOrMakeToken(join(layout.dir, 'token')),
    })
    const run = (node: LocalNode, name: string, args: readonly string[]) =>
      new LocalProcess(`${node.name} ${name}`, args, join(node.dir, `${name}.log`), network.on(node.name))
    this.#processes = new Map(
      layout.nodes.map((node) => [
        node.name,
        {
          agent: run(node, 'agent', ['agent', '--config', configFileOf(node)]),
          kubelet: run(node, 'kubelet', ['stand-in', '--host', node.host, '--port', `${node.kubeletPort}`]),
        },
      ]),
    )
    const { aggregator } = layout
    this.#aggregator = run(aggregator, 'aggregator', ['aggregator', '--config', configFileOf(aggregator)])
  }

  /** Resolves when the mesh is whole. `size`: 1 to 200. Throws StarlingError where namespaces cannot be had. */
  static async start(size: number): Promise<NamespaceMesh> {
    const missing = missingForNamespaces()
    if (missing !== undefined) throw new StarlingError(`a mesh in network namespaces needs ${missing}`)
    if (!Number.isInteger(size) || size < 1 || size > NODES_MAX) throw new RangeError(`a mesh of ${size} nodes`)
    const layout = layOut(mkdtempSync(join(tmpdir(), 'starling-namespaces-')), size)
    await found(layout, { hostRoot: '/', logFormat: 'json' })
    const machines = [...layout.nodes, layout.aggregator].map(({ name, host }) => ({ name, address: host }))
    const network = new Network(machines)
    const gate = await openGate(network.on(layout.aggregator.name), HTTP_PORT)
    const mesh = new NamespaceMesh(layout, network, gate)
    try {
      mesh.#aggregator.start()
      for (const { agent, kubelet } of mesh.#processes.values()) {
        agent.start()
        kubelet.start()
      }
      await mesh.untilWhole()
      return mesh
    } catch (error) {
      await mesh.stop()
      throw error
    }
  }

  processes(node: string): NodeProcesses {
    const found = this.#processes.get(node)
    if (found === undefined) throw new Error(`there is no node ${node}`)
    return found
  }

  async member(node: string): Promise<MemberView> {
    const { members } = await this.client.state()
    const member = members.find((each) => each.node === node)
    if (member === undefined) throw new Error(`there is no member ${node}`)
    return member
  }

  /** The number of the newest event; 0 for none. */
  async lastSeq(): Promise<number> {
    return (await this.client.events({ limit: 1 })).at(-1)?.seq ?? 0
  }

  /** Events after that one. Throws when there were more than are kept in one page. */
  async eventsAfter(seq: number, kinds?: readonly StoredEvent['kind'][]): Promise<readonly StoredEvent[]> {
    const page = await this.client.events({ kinds, limit: EVENTS_MAX })
    if (page.length === EVENTS_MAX && (page[0]?.seq ?? 0) > seq + 1) throw new Error('more events than one page holds')
    return page.filter((event) => event.seq > seq)
  }

  /** Lines that this node's agent has written to its log, as objects; those of a killed agent's earlier life too. */
  agentLog(node: string): readonly Readonly<Record<string, unknown>>[] {
    const text = readFileSync(join(this.#node(node).dir, 'agent.log'), 'utf8')
    return text
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
  }

  /**
   * Every member is alive, no vote stands, and each observer could convict each of its subjects; but for the nodes of
   * `except`. For two seconds on end, in which the aggregator answers at once: a machine that is busy with starting agents
   * loses roll-calls, and the leader rightly marks nobody then.
   */
  async untilWhole(except: readonly string[] = []): Promise<void> {
    let calm = 0
    await this.until(`the mesh is whole${except.length === 0 ? '' : ` but for ${except.join(', ')}`}`, async () => {
      const askedAt = performance.now()
      const state = await this.client.state()
      const isCalm = isWhole(state, except) && performance.now() - askedAt < AT_ONCE_MS
      calm = isCalm ? calm + 1 : 0
      return calm * LOOK_EVERY_MS >= CALM_FOR_MS
    })
  }

  /**
   * Looks until `look` gives something (not undefined, null or false) and returns it; what it throws is nothing yet. After
   * three minutes throws an Error that says what was waited for, and how things were by then.
   */
  async until<T>(what: string, look: () => T | Promise<T>): Promise<Exclude<T, undefined | null | false>> {
    const deadline = performance.now() + WITHIN_MS
    let last = ''
    for (;;) {
      try {
        const seen = await look()
        if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<T, undefined | null | false>
      } catch (error) {
        last = messageOf(error)
      }
      if (performance.now() > deadline) throw new Error(`waited for: ${what}; ${last}\n${await this.describe()}`)
      await wait(LOOK_EVERY_MS)
    }
  }

  /** What a person would look at when something went wrong. */
  async describe(): Promise<string> {
    const members = await this.client.state().then(
      (state) => state.members.filter((member) => !isWell(member)).map((member) => JSON.stringify(member)),
      (error: unknown) => [`no state: ${messageOf(error)}`],
    )
    const events = await this.client.events({ limit: 60 }).catch(() => [])
    const told = events
      .filter(({ kind }) => kind !== 'finding')
      .map(({ at, node, kind, summary }) => `${at} ${node} ${kind}: ${summary}`)
    const ended = [this.#aggregator, ...[...this.#processes.values()].flatMap(({ agent, kubelet }) => [agent, kubelet])]
      .filter((each) => !each.isRunning)
      .map(({ name }) => `${name} has ended`)
    const log = readFileSync(join(this.#layout.aggregator.dir, 'aggregator.log'), 'utf8').trimEnd().split('\n')
    return [...members, ...told, ...ended, 'the aggregator:', ...log.slice(-LOG_TAIL_LINES)].join('\n')
  }

  /** Ends everything, whatever was done to it. */
  async stop(): Promise<void> {
    this.#gate.close()
    this.network.remove()
    rmSync(this.#layout.dir, { recursive: true, force: true })
  }

  #node(name: string): LocalNode {
    const node = this.#layout.nodes.find((each) => each.name === name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }
}

/** See `untilWhole`, at this one moment. */
export function isWhole({ members }: Snapshot, except: readonly string[] = []): boolean {
  const others = members.filter(({ node }) => !except.includes(node))
  return others.length > 0 && others.every((member) => isWell(member, except))
}

function isWell({ state, votes, coveredBy, observers }: MemberView, except: readonly string[] = []): boolean {
  const missing = observers.filter((node) => !(coveredBy.includes(node) || except.includes(node)))
  return state === 'alive' && votes.length === 0 && missing.length === 0
}

function layOut(dir: string, size: number): LocalLayout {
  const place = (name: string, index: number): LocalNode => {
    const zone = ZONES[index % ZONES.length] ?? ''
    return { name, zone, host: `10.77.0.${index}`, ...PORTS, dir: join(dir, name) }
  }
  return {
    dir,
    mesh: 'namespaces',
    httpPort: HTTP_PORT,
    nodes: Array.from({ length: size }, (_, index) => place(`node-${index + 1}`, index + 1)),
    aggregator: place('aggregator-1', AGGREGATOR_HOST),
  }
}
