/**
 * A mesh of real processes with two aggregators, each with a disk of its own. Without a cluster nobody elects one of them,
 * so both lead: each gives the other what it puts on record, as a leader does.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { StoredEvent } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import { type LocalLayout, type LocalNode, layOut } from '../../cli/local/layout.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import { freePort } from '../mesh/sockets.ts'
import { newFolder } from './local-mesh.ts'
import { takeTurn } from './machine-turn.ts'
import { MAIN } from './starling.ts'

export class OneAggregator {
  readonly #node: LocalNode
  readonly #process: LocalProcess
  readonly #url: string
  readonly #token: string

  constructor(node: LocalNode, token: string, port: number) {
    this.#node = node
    this.#token = token
    this.#url = `http://127.0.0.1:${port}`
    const file = configFileOf(node)
    writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), http: { port } }))
    const args = ['aggregator', '--config', file]
    this.#process = new LocalProcess(node.name, args, join(node.dir, 'aggregator.log'), { program: MAIN })
  }

  get name(): string {
    return this.#node.name
  }

  get log(): string {
    return readFileSync(this.#process.logFile, 'utf8')
  }

  start(): void {
    this.#process.start()
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }

  /** As a machine goes that never comes back: at once, and its disk with it. */
  async lose(): Promise<void> {
    this.#process.signal('SIGKILL')
    await this.#process.stop()
    for (const part of ['', '-wal', '-shm']) rmSync(join(this.#node.dir, `history.sqlite${part}`), { force: true })
  }

  async get<T>(path: string): Promise<T> {
    return await this.#ask<T>(path, {})
  }

  async post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    return await this.#ask<T>(path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  /** The newest, oldest first. */
  async events(query = ''): Promise<readonly StoredEvent[]> {
    return (await this.get<{ items: StoredEvent[] }>(`/api/v1/events?limit=1000${query}`)).items
  }

  async #ask<T>(path: string, { headers = {}, ...init }: RequestInit): Promise<T> {
    const asked = { authorization: `Bearer ${this.#token}`, ...(headers as Record<string, string>) }
    const answer = await fetch(`${this.#url}${path}`, { ...init, headers: asked, signal: AbortSignal.timeout(20_000) })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
}

export class TwoAggregators {
  readonly dir: string
  readonly first: OneAggregator
  readonly second: OneAggregator
  readonly #agents: readonly LocalProcess[]
  readonly #release: () => void

  private constructor(layout: LocalLayout, standby: LocalNode, ports: readonly [number, number], release: () => void) {
    this.dir = layout.dir
    this.#release = release
    const token = readOrMakeToken(join(layout.dir, 'token'))
    this.first = new OneAggregator(layout.aggregator, token, ports[0])
    this.second = new OneAggregator(standby, token, ports[1])
    this.#agents = layout.nodes.map((node) => {
      const args = ['agent', '--config', configFileOf(node)]
      const how = { program: MAIN, nodeFlags: AGENT_NODE_FLAGS }
      return new LocalProcess(node.name, args, join(node.dir, 'agent.log'), how)
    })
  }

  /** `settings`: what their file says. */
  static async start(nodes: number, settings: string): Promise<TwoAggregators> {
    const release = await takeTurn()
    const dir = newFolder()
    const port = () => freePort('127.0.0.1')
    const [meshPort, kubeletPort, one, two] = await Promise.all([port(), port(), port(), port()])
    const layout = await layOut({ dir, nodes, httpPort: one, meshPort, kubeletPort })
    const { aggregator } = layout
    const host = aggregator.host === '127.0.0.1' ? aggregator.host : '127.0.1.201'
    const standby = {
      ...aggregator,
      name: 'aggregator-2',
      host,
      meshPort: await freePort(host),
      dir: join(dir, 'aggregator-2'),
    }
    writeFileSync(join(dir, 'settings.yaml'), settings)
    await found(
      { ...layout, standbys: [standby] },
      { hostRoot: '/', logFormat: 'json', settings: join(dir, 'settings.yaml') },
    )
    const mesh = new TwoAggregators(layout, standby, [one, two], release)
    for (const each of [mesh.first, mesh.second, ...mesh.#agents]) each.start()
    return mesh
  }

  /** Ends everything, whatever a test did to it. */
  async stop(): Promise<void> {
    try {
      await Promise.all([this.first, this.second, ...this.#agents].map((each) => each.stop()))
      rmSync(this.dir, { recursive: true, force: true })
    } finally {
      this.#release()
    }
  }
}
