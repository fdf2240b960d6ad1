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
    machine.host = host
    for (const listener of this.#listeners) listener(machine, was)
    const waiting = this.#asleep.get(machine) ?? []
    this.#asleep.delete(machine)
    if (host === 'up') for (const react of waiting) react()
  }

  set(name: string, change: Partial<Pick<Machine, 'closedPorts' | 'takesConnections' | 'wallOffsetMs'>>): void {
    Object.assign(this.#find(name), change)
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

  #find(name: string): Mutable<Machine> {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new Error(`no machine ${name} on this stage`)
    return machine
  }
}
