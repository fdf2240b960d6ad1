/**
 * The processes that a compared failure detector runs on the machines of a stage, one life each: their timers, UDP packets
 * and TCP exchanges. What a host does ends, stops or starts them.
 */
import { connect, type Reach, SYN_AT_MS } from '../connect.ts'
import type { HostState, Machine, Stage } from '../stage.ts'
import { TcpEnd } from '../tcp.ts'
import type { Packet, Snapshot } from './claim.ts'

/** memberlist's TCPTimeout: whatever was begun over TCP ends after this. */
const TCP_TIMEOUT_MS = 10_000

/**
 * What a pause of the stage stops. `all`: nothing runs, and what has arrived is heard before the timers that are late, as
 * with Starling's own agent. `messages`: nothing is sent or heard until it ends, but the timers go on, as in Lifeguard's
 * experiment and in a program whose threads for messages starve.
 */
export type PauseStops = 'all' | 'messages'

/** What runs in a process. */
export interface Program {
  receive(from: number, packet: Packet): void
  /** Over TCP: an empty snapshot is a mere ping. */
  answer(theirs: Snapshot): Snapshot
}

export class Process {
  readonly index: number
  readonly machine: Machine
  readonly #processes: Processes
  readonly #late: (() => void)[] = []
  #program: Program | undefined
  #isGone = false

  constructor(index: number, machine: Machine, processes: Processes) {
    this.index = index
    this.machine = machine
    this.#processes = processes
  }

  get now(): number {
    return this.#processes.stage.agenda.now
  }

  get isGone(): boolean {
    return this.#isGone
  }

  readonly random = (): number => this.#processes.stage.random()

  runs(program: Program): void {
    this.#program = program
  }

  after(ms: number, run: () => void): void {
    const { agenda } = this.#processes.stage
    agenda.at(agenda.now + ms, () => this.when('timer', run))
  }

  send(to: number, packet: Packet): void {
    this.#whenSending(() => this.#processes.carry(this, to, packet))
  }

  /** Says all it holds to another over TCP; `heard` gets the answer, if there is one in time. */
  ask(to: number, mine: Snapshot, heard: (theirs: Snapshot) => void): void {
    this.#whenSending(() => this.#processes.connect(this, to, mine, heard))
  }

  /** Lets the program react when it runs: after a pause, and to a timer also after a hang. */
  when(what: 'input' | 'timer', react: (program: Program) => void): void {
    const { stage, pauseStops } = this.#processes
    const run = () => {
      if (this.#isGone || this.#program === undefined) return
      const program = this.#program
      if (this.machine.host === 'up') react(program)
      else if (what === 'timer') this.#late.push(() => react(program))
    }
    if (what === 'timer' && pauseStops === 'messages') run()
    else stage.whenRunning(this.machine, what, run)
  }

  wake(): void {
    for (const run of this.#late.splice(0)) this.when('timer', run)
  }

  end(): void {
    this.#isGone = true
  }

  /** A process that runs sends at once, unless its timers go on in a pause. */
  #whenSending(send: () => void): void {
    this.#processes.stage.whenRunning(this.machine, 'input', () => {
      if (!this.#isGone && this.machine.host === 'up') send()
    })
  }
}

export class Processes {
  readonly stage: Stage
  readonly pauseStops: PauseStops
  packets = 0
  readonly #start: (self: Process) => void
  readonly #processes: Process[]

  /** @param start Runs a program in a process that is new: at once for each machine, and whenever a host comes back. */
  constructor(stage: Stage, names: readonly string[], pauseStops: PauseStops, start: (self: Process) => void) {
    this.stage = stage
    this.pauseStops = pauseStops
    this.#start = start
    this.#processes = names.map((name, index) => new Process(index, stage.machine(name), this))
    for (const first of this.#processes) start(first)
    const indexes = new Map(names.map((name, index) => [name, index]))
    stage.onHostChange((machine) => {
      const index = indexes.get(machine.name)
      if (index !== undefined) this.#hostChanged(index, machine.host)
    })
  }

  carry(from: Process, to: number, packet: Packet): void {
    const target = this.#at(to).machine
    this.packets++
    const delay = this.stage.network.fate(from.machine.name, target.name)
    if (delay === undefined) return
    this.stage.agenda.at(from.now + delay, () => {
      // A host that is not up drops it; a paused process has a socket in which it waits.
      if (target.host === 'up') this.#at(to).when('input', (program) => program.receive(from.index, packet))
    })
  }

  connect(from: Process, to: number, mine: Snapshot, heard: (theirs: Snapshot) => void): void {
    const target = this.#at(to).machine
    const wire = (a: Machine, b: Machine) => () => {
      return a.host === 'down' || b.host === 'down' ? undefined : this.stage.network.fate(a.name, b.name)
    }
    const there = wire(from.machine, target)
    const back = wire(target, from.machine)
    const { agenda } = this.stage
    const endsAt = agenda.now + TCP_TIMEOUT_MS
    const opened = (reach: Reach) => {
      if (reach !== 'accepted') return
      const answerer = this.#at(to)
      const [near, far] = TcpEnd.connect<Snapshot>(
        agenda,
        { wire: there, deliver: (theirs) => from.when('input', () => heard(theirs)) },
        {
          wire: back,
          deliver: (theirs) => answerer.when('input', (program) => far.send(program.answer(theirs))),
        },
      )
      near.send(mine)
      agenda.at(endsAt, () => {
        near.cut()
        far.cut()
      })
    }
    const ends = { from: from.machine, to: target, port: 'agent' } as const
    connect(this.stage, { ...ends, synAtMs: SYN_AT_MS, untilMs: TCP_TIMEOUT_MS, answered: opened })
  }

  #hostChanged(index: number, host: HostState): void {
    const last = this.#at(index)
    if (host === 'down' || host === 'agentDown') last.end()
    if (host !== 'up') return
    // A hung host wakes up where it was; a dead one, and a dead process, start again.
    if (!last.isGone) {
      last.wake()
      return
    }
    const next = new Process(index, last.machine, this)
    this.#processes[index] = next
    this.#start(next)
  }

  #at(index: number): Process {
    const current = this.#processes[index]
    if (current === undefined) throw new Error(`there is no member ${index}`)
    return current
  }
}
