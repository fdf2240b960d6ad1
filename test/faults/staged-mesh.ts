/**
 * A mesh of real processes on a network of its own. On one of its nodes a test stages a fault: it starts that agent itself,
 * on whatever machine that is. The aggregator and the other agents run here, and may change nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { parse, stringify } from 'yaml'
import type { StoredEvent } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { type Gate, openGate } from '../../bench/namespaces/gate.ts'
import { type ApiClient, createClient } from '../../cli/client.ts'
import type { Connection } from '../../cli/connection.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import type { LocalLayout, LocalNode } from '../../cli/local/layout.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import type { Plan, Remediation } from '../../remediators/contract.ts'
import { builtProgram } from '../built-program.ts'
import { type RunResult, starling } from '../e2e/starling.ts'
import { runHere } from './answers.ts'

/** As shipped (docs/contracts.md). */
const PORTS = { meshPort: 7790, metricsPort: 7791, kubeletPort: 10_250 }
const HTTP_PORT = 7780
const EVENTS_MAX = 1_000
/** On processors that others use as well, and once more when a guard says no to the first request. */
const WITHIN_MS = 300_000
const LOOK_EVERY_MS = 200
/** Of a whole test with a mesh. */
export const TEST_WITHIN_MS = 2 * WITHIN_MS

export const MESH = 'faults'
/** The node with the fault. */
export const STAGED = 'node-1'
const AGGREGATOR_ADDRESS = '10.77.0.250'

/** The whole way of a fix that nobody was asked about. */
export const BY_ITSELF = ['finding', 'plan', 'permit', 'permitted', 'applying', 'verifying', 'verified']

export interface StagedMeshOptions {
  /** Of nodes, the staged one included. */
  readonly nodes: number
  /** Text of the settings. */
  readonly settings: string
}

export class StagedMesh {
  /** Identities, configurations and logs; that of the staged node is in a folder of its name. */
  readonly dir = mkdtempSync(join(tmpdir(), 'starling-staged-'))
  /** The folder of the program that all run, built. */
  readonly program = builtProgram()
  readonly #layout: LocalLayout
  readonly #processes: LocalProcess[] = []
  #gate: Gate | undefined
  #connection: Connection | undefined

  private constructor(nodes: number) {
    const place = (name: string, host: string): LocalNode => {
      return { name, zone: 'lab', host, ...PORTS, dir: join(this.dir, name) }
    }
    this.#layout = {
      dir: this.dir,
      mesh: MESH,
      httpPort: HTTP_PORT,
      nodes: Array.from({ length: nodes }, (_, index) => place(`node-${index + 1}`, `10.77.0.${index + 1}`)),
      aggregator: place('aggregator-1', AGGREGATOR_ADDRESS),
    }
  }

  /** Its files alone: nothing runs yet. */
  static async found({ nodes, settings }: StagedMeshOptions): Promise<StagedMesh> {
    const mesh = new StagedMesh(nodes)
    const file = join(mesh.dir, 'settings.yaml')
    writeFileSync(file, settings)
    await found(mesh.#layout, { settings: file, hostRoot: '/', logFormat: 'json' })
    for (const node of mesh.#bystanders) {
      const config = configFileOf(node)
      writeFileSync(config, stringify({ ...parse(readFileSync(config, 'utf8')), fixer: 'off' }))
    }
    return mesh
  }

  /** Starts all but the staged node. `network`: the words before a command that is to be on the network of the mesh. */
  async start(network: readonly string[]): Promise<void> {
    await runHere([...network, 'ip', 'link', 'set', 'lo', 'up'])
    for (const { host } of [...this.#layout.nodes, this.#layout.aggregator]) {
      await runHere([...network, 'ip', 'address', 'add', `${host}/32`, 'dev', 'lo'])
    }
    this.#gate = await openGate(network, HTTP_PORT)
    this.#connection = {
      url: `http://127.0.0.1:${this.#gate.port}`,
      token: readOrMakeToken(join(this.dir, 'token')),
    }
    const how = { program: join(this.program, 'starling.mjs'), within: network, nodeFlags: AGENT_NODE_FLAGS }
    const start = (kind: string, node: LocalNode) => {
      const args = [kind, '--config', configFileOf(node)]
      const process = new LocalProcess(node.name, args, join(node.dir, `${kind}.log`), how)
      process.start()
      this.#processes.push(process)
    }
    start('aggregator', this.#layout.aggregator)
    for (const node of this.#bystanders) start('agent', node)
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('the mesh was not started')
    return this.#connection
  }

  get client(): ApiClient {
    return createClient(this.connection)
  }

  /** A client command, told of this mesh. */
  run(...args: readonly string[]): Promise<RunResult> {
    const { url, token } = this.connection
    return starling([...args, '--url', url, '--token', token])
  }

  /** Oldest first. */
  events(): Promise<readonly StoredEvent[]> {
    return this.client.events({ limit: EVENTS_MAX })
  }

  /** Looks until `look` gives something, and returns it. The error, when it does not, says how this mesh stands. */
  async until<T>(what: string, look: () => Promise<T | false | undefined>): Promise<T> {
    try {
      const see = async () => {
        const seen = await look()
        if (seen === undefined || seen === false) throw new Error('nothing yet')
        return seen
      }
      return await vi.waitFor(see, { timeout: WITHIN_MS, interval: LOOK_EVERY_MS })
    } catch (error) {
      throw new Error(`waited for: ${what}; ${error}\n${await this.describe()}`, { cause: error })
    }
  }

  untilAlive(): Promise<boolean> {
    return this.until('every member is alive', async () => {
      const { members } = await this.client.state()
      return members.length > 0 && members.every(({ state }) => state === 'alive')
    })
  }

  /** The fix of `reason` on the staged node, once it is in `phase`. */
  untilFixed(reason: string, phase: Remediation['phase'] = 'verified'): Promise<Remediation> {
    return this.until(`a fix of ${reason} is ${phase}`, async () => {
      const { remediations } = await this.client.state()
      return remediations.find(({ plan, phase: reached }) => plan.reason === reason && reached === phase)
    })
  }

  /** Kinds of the events that led to the end of `plan`, a phase where one tells it, in their order. */
  async stepsOf({ id }: Plan): Promise<readonly string[]> {
    const { chains } = await this.client.explain(STAGED)
    const isOf = (data: StoredEvent['data']) => (data.plan as Plan | undefined)?.id === id
    const chain = chains.find(({ events }) => events.some(({ kind, data }) => kind === 'plan' && isOf(data)))
    // That the finding is gone is seen by the look that verifies, so it may come before the word that it is verified.
    const steps = (chain?.events ?? []).filter(({ summary }) => !summary.startsWith('cleared'))
    return steps.map(({ kind, data }) => (kind === 'remediation' ? String(data.phase) : kind))
  }

  async describe(): Promise<string> {
    const events = await this.events().catch((error: unknown) => [
      { seq: 0, node: '', kind: 'none', summary: `${error}` },
    ])
    return events.map(({ seq, node, kind, summary }) => `${seq} ${node} ${kind}: ${summary}`).join('\n')
  }

  async stop(): Promise<void> {
    this.#gate?.close()
    await Promise.all(this.#processes.map((process) => process.stop()))
    rmSync(this.dir, { recursive: true })
  }

  get #bystanders(): readonly LocalNode[] {
    return this.#layout.nodes.filter(({ name }) => name !== STAGED)
  }
}
