/**
 * A node's program on its machine: the shipped core, stepped on virtual time while the machine lets it run. What reaches
 * it meanwhile waits, and is heard before the timers that are late.
 */
import type { Core } from '../core/core.ts'
import type { Effect, Input } from '../core/message.ts'
import type { Now } from '../core/model.ts'
import type { Machine, Stage } from './stage.ts'

/** Any date will do. */
const WALL_START_MS = 1_700_000_000_000

export class Program {
  readonly machine: Machine
  readonly #stage: Stage
  #core: Core | undefined
  #perform: ((effect: Effect) => void) | undefined
  #inbox: (() => void)[] = []
  #isAlive = true
  /** When the agenda next calls; it may call too early, never too late. */
  #tickAt = Number.POSITIVE_INFINITY

  constructor(stage: Stage, machine: Machine) {
    this.#stage = stage
    this.machine = machine
  }

  /** Throws before it has started. */
  get core(): Core {
    if (this.#core === undefined) throw new Error(`${this.machine.name} has not started`)
    return this.#core
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** Whether it reacts at once to what reaches it now. */
  get isRunning(): boolean {
    const { host, pausedUntil } = this.machine
    return this.#isAlive && host === 'up' && this.#stage.agenda.now >= pausedUntil && this.#inbox.length === 0
  }

  /** What has reached it and is not heard yet. */
  get waiting(): number {
    return this.#inbox.length
  }

  start(core: Core, perform: (effect: Effect) => void): void {
    this.#core = core
    this.#perform = perform
    this.#schedule()
  }

  kill(): void {
    this.#isAlive = false
    this.#inbox = []
  }

  now(): Now {
    const { now } = this.#stage.agenda
    return { ms: now, wallMs: WALL_START_MS + now + this.machine.wallOffsetMs }
  }

  /** Gives the core an input, now or when the program runs again. */
  take(input: Input): void {
    if (this.isRunning) this.#step(input)
    else this.#hold(input)
  }

  /** Lets something happen in this program when it runs again, after what waits already. */
  whenRunning(react: () => void): void {
    if (!this.#isAlive) return
    this.#inbox.push(react)
    if (this.#inbox.length === 1) this.#stage.whenRunning(this.machine, 'input', () => this.#drain())
  }

  static #tick(this: void, program: Program): void {
    if (!program.#isAlive || program.#stage.agenda.now !== program.#tickAt) return
    program.#tickAt = Number.POSITIVE_INFINITY
    if (program.isRunning) program.#tickIfDue()
    else program.#tickWhenRunning()
  }

  #tickWhenRunning(): void {
    this.#stage.whenRunning(this.machine, 'timer', () => this.#tickIfDue())
  }

  // Apart from `take`, so that only an input that has to wait costs a closure.
  #hold(input: Input): void {
    this.whenRunning(() => this.#step(input))
  }

  #drain(): void {
    const waiting = this.#inbox
    this.#inbox = []
    for (const react of waiting) react()
  }

  #step(input: Input): void {
    const perform = this.#perform
    if (!this.#isAlive || perform === undefined) return
    for (const effect of this.core.step(this.now(), input)) perform(effect)
    this.#schedule()
  }

  #tickIfDue(): void {
    if (!this.#isAlive) return
    if (this.core.nextTickAt <= this.#stage.agenda.now) this.#step({ kind: 'tick' })
    else this.#schedule()
  }

  #schedule(): void {
    const { agenda } = this.#stage
    const at = Math.max(this.core.nextTickAt, agenda.now)
    if (at >= this.#tickAt) return
    this.#tickAt = at
    agenda.at(at, Program.#tick, this)
  }
}
