/**
 * What a mesh runs on, simulated: machines with their hosts and processes, the network between them, virtual time. It
 * knows nothing of what runs on it, so that detectors can be compared under the very same faults.
 */
import { Agenda } from './agenda.ts'
import { Network } from './network.ts'
import { seededRandom } from './random.ts'

/**
 * `agentDown`: the agent's process is gone, the kernel and the kubelet answer. `hung`: the kernel accepts connections and
 * no process ever answers. `down`: nothing answers.
 */
export type HostState = 'up' | 'agentDown' | 'hung' | 'down'

export interface Machine {
  readonly name: string
  readonly zone: string
  readonly host: HostState
  /**
   * Until then its agent does not run, though its kernel and its kubelet do: what reaches the agent waits. A machine on
   * which nothing runs is `hung`.
   */
  readonly pausedUntil: number
  /** A port on which nobody listens: the kernel refuses a connection, or a firewall swallows it. */
  readonly closedPorts: 'refuse' | 'drop'
  /** False while its connection table is full: open streams go on, no new connection gets in. */
  readonly takesConnections: boolean
  /** Whether its kubelet reaches the API server, over a network that is not this one. */
  readonly reachesApi: boolean
  /** How far its wall clock is ahead, ms. */
  readonly wallOffsetMs: number
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** What has arrived during a pause is heard before the timers that are late, as the adapter sees to it. */
const DRAIN_MS = 0.01

export class Stage {
  readonly agenda = new Agenda()
  readonly network: Network
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly #machines = new Map<string, Mutable<Machine>>()
  readonly #lastLease = new Map<Machine, number>()
  readonly #listeners: ((machine: Machine, was: HostState) => void)[] = []
  /** What waits for a hung machine. */
  readonly #asleep = new Map<Machine, (() => void)[]>()

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.network = new Network(this.random)
  }

  get machines(): ReadonlyMap<string, Machine> {
    return this.#machines
  }

  add(name: string, zone: string): Machine {
    const machine: Mutable<Machine> = {
      name,
      zone,
      host: 'up',
      pausedUntil: 0,
      closedPorts: 'refuse',
      takesConnections: true,
      reachesApi: true,
      wallOffsetMs: 0,
    }
    this.#machines.set(name, machine)
    return machine
  }

  /** Throws for a machine that is not on this stage. */
  machine(name: string): Machine {
    return this.#find(name)
  }

  /** Whoever runs something on the machines reacts to what their hosts do. */
  onHostChange(listener: (machine: Machine, was: HostState) => void): void {
    this.#listeners.push(listener)
  }

  setHost(name: string, host: HostState): void {
    const machine = this.#find(name)
    const was = machine.host
    if (was === host) return
    this.#noteLease(machine)
    machine.host = host
    for (const listener of this.#listeners) listener(machine, was)
    const waiting = this.#asleep.get(machine) ?? []
    this.#asleep.delete(machine)
    if (host === 'up') for (const react of waiting) react()
  }

  set(
    name: string,
    change: Partial<Pick<Machine, 'closedPorts' | 'takesConnections' | 'reachesApi' | 'wallOffsetMs'>>,
  ): void {
    const machine = this.#find(name)
    this.#noteLease(machine)
    Object.assign(machine, change)
  }

  /** When its kubelet last renewed its Lease: every 10 s, for as long as it runs and reaches the API server. */
  leaseRenewedAt(name: string): number {
    const machine = this.#find(name)
    if (renewsLease(machine)) return lastRenewal(machine, this.agenda.now)
    return this.#lastLease.get(machine) ?? Number.NEGATIVE_INFINITY
  }

  /** The agent of a machine does not run for a while, as when it is stopped or starved; kernel and kubelet go on. */
  pause(name: string, ms: number): void {
    const machine = this.#find(name)
    machine.pausedUntil = Math.max(machine.pausedUntil, this.agenda.now + ms)
  }

  /** Lets something on a machine react, at once or when it hangs no longer. What waits for a host that dies is gone. */
  whenAwake(machine: Machine, react: () => void): void {
    const waiting = this.#asleep.get(machine)
    if (machine.host !== 'hung') react()
    else if (waiting === undefined) this.#asleep.set(machine, [react])
    else waiting.push(react)
  }

  /**
   * Lets an agent react, at once or when its machine is awake and its pause over: to what has arrived first, then to
   * timers that are late.
   */
  whenRunning(machine: Machine, to: 'input' | 'timer', react: () => void): void {
    const { agenda } = this
    if (machine.host !== 'hung' && agenda.now >= machine.pausedUntil) {
      react()
      return
    }
    this.whenAwake(machine, () => {
      const at = Math.max(agenda.now, machine.pausedUntil) + (to === 'timer' ? DRAIN_MS : 0)
      agenda.at(at, () => this.whenRunning(machine, to, react))
    })
  }

  /** Before something changes that may stop the renewals. */
  #noteLease(machine: Machine): void {
    if (renewsLease(machine)) this.#lastLease.set(machine, lastRenewal(machine, this.agenda.now))
  }

  #find(name: string): Mutable<Machine> {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new Error(`no machine ${name} on this stage`)
    return machine
  }
}

/** The kubelet's default. */
const LEASE_EVERY_MS = 10_000

function renewsLease({ host, reachesApi }: Machine): boolean {
  return reachesApi && (host === 'up' || host === 'agentDown')
}

function lastRenewal({ name }: Machine, now: number): number {
  // Each kubelet at its own time.
  const phase = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % LEASE_EVERY_MS, 7)
  return Math.floor((now - phase) / LEASE_EVERY_MS) * LEASE_EVERY_MS + phase
}
