/**
 * A cluster of serf agents (LAN profile) on the same machines, for comparison. Each agent's log is read as it is written:
 * a report has the time of its line's arrival here, since serf's own times are whole seconds. Nothing installs the
 * package by itself: it starts a daemon.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { StarlingError } from '../../common/errors.ts'
import type { Machine, Network } from './network.ts'

const PORT = 7946
const LOOK_EVERY_MS = 200
const WITHIN_MS = 180_000

/** One agent's news of another. */
export interface SerfReport {
  readonly by: string
  readonly about: string
  readonly isFailed: boolean
  /** Wall clock. */
  readonly atMs: number
}

export class SerfCluster {
  readonly reports: SerfReport[] = []
  readonly #network: Network
  readonly #machines: readonly Machine[]
  readonly #agents = new Map<string, ChildProcessByStdio<null, Readable, null>>()
  /** Whom each agent holds for alive. */
  readonly #views = new Map<string, Set<string>>()

  private constructor(network: Network, machines: readonly Machine[]) {
    this.#network = network
    this.#machines = machines
  }

  /** Resolves when all know all. The processes end with the network. Throws StarlingError where serf is missing. */
  static async start(network: Network, machines: readonly Machine[]): Promise<SerfCluster> {
    if (spawnSync('serf', ['version']).status !== 0)
      throw new StarlingError('serf is missing', {
        remedy:
          'as root on Debian: apt-get install serf; systemctl disable --now serf (the package starts one at once)',
      })
    const cluster = new SerfCluster(network, machines)
    for (const machine of machines) cluster.#run(machine)
    await cluster.untilWhole()
    return cluster
  }

  /** Failures that were reported from this moment on (wall clock, ms) by agents other than the one that failed. */
  failuresSince(atMs: number, about: string): readonly SerfReport[] {
    return this.reports.filter(
      (report) => report.isFailed && report.about === about && report.by !== about && report.atMs >= atMs,
    )
  }

  signal(machine: string, signal: NodeJS.Signals): void {
    this.#agents.get(machine)?.kill(signal)
  }

  /**
   * Has a machine that was cut off ask the others back in, which serf by itself does every 30 s. Tries until its cable
   * carries packets again.
   */
  async rejoin(machine: string): Promise<void> {
    const other = this.#machines.find(({ name }) => name !== machine)
    const join = () => this.#network.run(machine, 'serf', 'join', other?.address ?? '')
    await inTime(`${machine} cannot join the serf agents`, () =>
      join().then(
        () => true,
        () => false,
      ),
    )
  }

  /** Every agent holds every machine for alive. Throws StarlingError when that does not come within three minutes. */
  async untilWhole(): Promise<void> {
    const isWhole = () => [...this.#views.values()].every((alive) => alive.size === this.#machines.length)
    await inTime('the serf agents do not find each other', async () => isWhole())
  }

  #run({ name, address }: Machine): void {
    const [first] = this.#machines
    const flags = [`-node=${name}`, `-bind=${address}:${PORT}`, '-rpc-addr=127.0.0.1:7373', '-profile=lan']
    const join = [`-retry-join=${first?.address}`, '-retry-interval=1s', '-log-level=info']
    const [program = '', ...args] = [...this.#network.on(name), 'serf', 'agent', ...flags, ...join]
    const agent = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const alive = new Set<string>()
    this.#agents.set(name, agent)
    this.#views.set(name, alive)
    createInterface(agent.stdout).on('line', (line) => {
      const [, kind, about] = /serf: EventMember(Join|Update|Failed|Leave|Reap): (\S+)/.exec(line) ?? []
      if (about === undefined) return
      const isFailed = kind === 'Failed'
      if (kind === 'Join' || kind === 'Update') alive.add(about)
      else alive.delete(about)
      this.reports.push({ by: name, about, isFailed, atMs: Date.now() })
    })
  }
}

async function inTime(complaint: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!(await look())) {
    if (performance.now() > deadline) throw new StarlingError(complaint)
    await wait(LOOK_EVERY_MS)
  }
}
