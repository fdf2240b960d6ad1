/**
 * One agent of a simulated node: the shipped engine, on a disk that keeps what was saved and a process that may end between
 * any two effects. As remediators/run.ts it takes one input after another, a tick after each.
 */
import type { Moment } from '../../common/moment.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Around } from '../../remediators/alone.ts'
import type { Remediation } from '../../remediators/contract.ts'
import type { FixInput, step } from '../../remediators/engine.ts'
import type { PermitRequest } from '../../remediators/permits.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import { type Effect, EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import type { Checker } from './checker.ts'
import { begin } from './deeds.ts'
import type { Dice } from './dice.ts'
import type { SimHost } from './host.ts'
import { dueInMs } from './next-tick.ts'

export interface AgentInit {
  readonly host: SimHost
  readonly rules: Rules
  readonly dice: Dice
  readonly checker: Checker
  readonly step: typeof step
  /** True time, ms. */
  now(): number
  later(ms: number, run: () => void): void
  around(node: string): Pick<Around, 'isLed' | 'neighbours'>
  publish(agent: SimAgent, topic: string, what: Said): void
  isDown(node: string): boolean
  onCrash(node: string): void
  /** A fix takes the machine down. */
  reboot(node: string): void
}

/** What a node says to all aggregators. */
export type Said =
  | { readonly remediation: Remediation }
  | { readonly request: PermitRequest }
  | { readonly report: readonly Finding[] }

/** The end of a step that was begun is gone on from also when it cannot be saved, as in run.ts. */
const ENDS: ReadonlySet<FixInput['kind']> = new Set(['applied', 'verified', 'reverted'])
const REPORT_EVERY_MS = 480_000
const CRASH_SHARE = 0.002
const DISK_FULL_SHARE = 0.002
const CLOCK_JUMP_MS = 7_200_000

export class SimAgent {
  readonly init: AgentInit
  rules: Rules
  state: FixState = EMPTY_FIX_STATE
  saved: FixState = EMPTY_FIX_STATE
  isUp = true
  /** Chaos may strike between its effects. */
  isFragile = true
  boot = 1
  seq = 0
  /** By detector, what it was told last. */
  readonly heard = new Map<string, readonly Finding[]>()
  #startedAt = 0
  #clockOffMs = 0
  #tickAt = Number.POSITIVE_INFINITY

  constructor(init: AgentInit) {
    this.init = init
    this.rules = init.rules
    this.#startedAt = init.now() - init.dice.between(0, 1e9)
    this.#reportAgain()
  }

  get node(): string {
    return this.init.host.node
  }

  now(): Moment {
    const now = this.init.now()
    return { ms: now - this.#startedAt, wall: new Date(Date.UTC(2026, 0, 1) + now + this.#clockOffMs).toISOString() }
  }

  jump(): void {
    const { dice } = this.init
    this.#clockOffMs = dice.chance(0.3) ? 0 : dice.between(-CLOCK_JUMP_MS, CLOCK_JUMP_MS)
  }

  /** What may survive: memory while it runs, else the disk. */
  get truth(): FixState {
    return this.isUp ? this.state : this.saved
  }

  take(input: FixInput): void {
    if (!this.isUp) return
    this.#step(input)
    if (input.kind !== 'tick') this.#step(this.#tick())
    this.#awaitTick()
  }

  report(detector: string): void {
    if (!this.isUp) return
    const findings = this.init.host.look(detector, this.now().wall)
    this.init.publish(this, `report/${detector}`, { report: findings })
    this.heard.set(detector, findings)
    this.take({ kind: 'report', detector, findings })
  }

  reconfigure(rules: Rules): void {
    this.rules = rules
    this.take({ kind: 'reconfigured' })
  }

  crash(): void {
    this.isUp = false
    this.boot++
    this.#tickAt = Number.POSITIVE_INFINITY
    this.init.checker.crashed(this)
    this.init.onCrash(this.node)
  }

  /** From the disk, through the text that lies there, on a clock that begins anew. */
  start(): void {
    const { init } = this
    if (this.isUp || init.isDown(this.node)) return
    this.isUp = true
    this.seq = 0
    this.heard.clear()
    this.#startedAt = init.now() - init.dice.between(0, 1e9)
    this.state = decodeFixState(encodeFixState(this.saved))
    init.checker.restarted(this)
    this.take({ kind: 'resume' })
    this.soon(30_000, () => this.#reportAll())
  }

  /** Within `ms`, unless the process has ended by then. */
  soon(ms: number, run: () => void): void {
    const { boot } = this
    this.init.later(this.init.dice.between(1, ms), () => {
      if (this.isUp && this.boot === boot) run()
    })
  }

  #step(input: FixInput): void {
    const { init, state: before } = this
    if (!this.isUp) return
    const { state, effects } = init.step(this.rules, before, this.now(), input)
    this.state = state
    const crashesAt = this.isFragile && init.dice.chance(CRASH_SHARE) ? init.dice.whole(0, effects.length) : -1
    for (const [index, effect] of effects.entries()) {
      if (index === crashesAt) {
        this.#fall()
        return
      }
      if (effect.kind === 'save') {
        if (!(this.isFragile && init.dice.chance(DISK_FULL_SHARE))) this.saved = state
        else if (!ENDS.has(input.kind)) {
          this.state = before
          return
        }
      } else this.#perform(effect)
      if (!this.isUp) return
    }
    init.checker.stepped(this, input, effects)
  }

  #fall(): void {
    this.crash()
    this.init.later(this.init.dice.between(500, 120_000), () => this.start())
  }

  #perform(effect: Exclude<Effect, { kind: 'save' }>): void {
    const { init } = this
    switch (effect.kind) {
      case 'announce':
        init.checker.announced(this, effect.remediation)
        init.publish(this, `remediation/${effect.remediation.plan.id}`, effect)
        return
      case 'ask':
        init.checker.asked(this, effect.request)
        init.publish(this, `permit-request/${effect.request.planId}`, effect)
        return
      case 'refuse':
        return
      default:
        begin(this, effect)
    }
  }

  #tick(): FixInput {
    const { dice, around } = this.init
    return { kind: 'tick', around: { ...around(this.node), nonce: dice.hex(16), chance: dice.unit() } }
  }

  /** Ticks at which nothing is due change nothing, and are left out. */
  #awaitTick(): void {
    const { init } = this
    const inMs = dueInMs(this.state, this.now().ms)
    const at = init.now() + inMs
    if (inMs === Number.POSITIVE_INFINITY || at >= this.#tickAt) return
    this.#tickAt = at
    const { boot } = this
    init.later(inMs, () => {
      if (this.boot !== boot || this.#tickAt !== at) return
      this.#tickAt = Number.POSITIVE_INFINITY
      this.take(this.#tick())
    })
  }

  #reportAgain(): void {
    this.init.later(REPORT_EVERY_MS * this.init.dice.between(0.9, 1.1), () => {
      this.#reportAll()
      this.#reportAgain()
    })
  }

  #reportAll(): void {
    const { host } = this.init
    const open = this.state.fixes.filter(({ stage }) => stage.kind !== 'ended')
    const told = [...this.heard].filter(([, findings]) => findings.some(({ status }) => status !== 'ok'))
    const names = [
      ...host.detectors(),
      ...told.map(([detector]) => detector),
      ...open.map(({ remediation }) => remediation.plan.detector),
    ]
    for (const detector of new Set(names)) this.report(detector)
  }
}
