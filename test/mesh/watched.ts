/** One observer and its subject on virtual time: what happens between them is played, and what is said written down. */
import type { HostAnswer, PortResult } from '../../mesh/core/channel.ts'
import type { Accusation, Incarnation, Opinion } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { Watch, type WatchEffect } from '../../mesh/core/watch.ts'
import { Agenda } from '../../mesh/sim/agenda.ts'
import { FIRST_LIFE, momentAt } from './sample-mesh.ts'

const STEADY = { ...DEFAULT_TIMING, beatJitter: 0 }

/** How long the real adapter takes for each. */
export const ANSWER_AFTER_MS: Record<PortResult, number> = {
  userland: 10,
  refused: 10,
  mute: 2_000,
  lossy: 2_000,
  late: 160,
  nothing: 1_100,
}

const LAST_CONNECT_MS = 900

export interface Host {
  readonly agent: PortResult
  readonly kubelet: PortResult
  readonly control?: boolean
}

export const UP: Host = { agent: 'userland', kubelet: 'userland' }
export const SILENT: Host = { agent: 'nothing', kubelet: 'nothing' }

type Line = readonly [ms: number, effect: WatchEffect]

/** A watch on virtual time, and the subject it watches. */
export class Watched {
  readonly watch = new Watch('subject', FIRST_LIFE, 0, STEADY, () => 0.5)
  readonly lines: Line[] = []
  host = UP
  agentAnswers = true
  readonly #agenda = new Agenda()
  #tickAt = Number.NaN
  #tickedAt = Number.NEGATIVE_INFINITY

  constructor() {
    this.#do(() => this.watch.tick(0), true)
  }

  get now(): number {
    return this.#agenda.now
  }

  runUntil(ms: number): this {
    this.#agenda.runUntil(ms)
    return this
  }

  runFor(ms: number): this {
    return this.runUntil(this.now + ms)
  }

  /** From now on the host is like this, and its agent says nothing more. */
  becomes(host: Host): this {
    this.host = host
    this.agentAnswers = host === UP
    return this
  }

  does(what: (watch: Watch, now: number) => void): this {
    this.#do(() => {
      what(this.watch, this.now)
      return []
    })
    return this
  }

  /** The leader asks about the subject, in that life. */
  isAskedAbout(incarnation: Incarnation): this {
    this.#do(() => this.watch.asked(this.now, incarnation))
    return this
  }

  /** The subject's kernel ends the stream, as it does when the agent dies. */
  hangsUp(): this {
    this.#do(() => this.watch.closed(this.now))
    return this
  }

  /** A co-observer hints. */
  hears(observer: string): this {
    this.#do(() => this.watch.hintedBy(this.now, observer))
    return this
  }

  get accusations(): readonly (readonly [ms: number, accusation: Omit<Accusation, 'kind' | 'epoch' | 'term'>])[] {
    return this.lines.flatMap(([ms, effect]) => (effect.kind === 'accuse' ? [[ms, effect.accusation] as const] : []))
  }

  get opinions(): readonly Opinion[] {
    return this.accusations.map(([, { opinion }]) => opinion)
  }

  kindsAt(ms: number): readonly WatchEffect['kind'][] {
    return this.lines.filter(([at]) => at === ms).map(([, { kind }]) => kind)
  }

  #do(act: () => readonly WatchEffect[], isTick = false): void {
    for (const effect of act()) {
      this.lines.push([this.now, effect])
      this.#perform(effect)
    }
    if (isTick) this.#tickedAt = this.now
    // At the very moment of a tick something may have become due after it.
    const at = this.watch.nextAt(isTick ? this.now : Math.min(this.#tickedAt, this.now - 0.001))
    if (at === this.#tickAt || at === Number.POSITIVE_INFINITY) return
    this.#tickAt = at
    this.#agenda.at(at, () => {
      if (this.#tickAt !== at) return
      this.#tickAt = Number.NaN
      this.#do(() => this.watch.tick(this.now), true)
    })
  }

  #perform(effect: WatchEffect): void {
    if (effect.kind === 'probe' && this.agentAnswers) {
      this.#later(1, () => this.watch.acked(momentAt(this.now), effect.seq, momentAt(this.now).wallMs))
    }
    if (effect.kind === 'dial')
      this.#later(0, () => (this.agentAnswers ? this.watch.opened(this.now) : this.watch.closed(this.now)))
    // Connects go on for a while: a host that is back by the last of them answers it.
    if (effect.kind === 'ask' && this.host.agent !== 'nothing') this.#later(0, () => this.#answer())
    else if (effect.kind === 'ask') this.#later(LAST_CONNECT_MS, () => this.#answer(LAST_CONNECT_MS))
  }

  #answer(passedMs = 0): readonly WatchEffect[] {
    const { agent, kubelet, control = true } = this.host
    const answer: HostAnswer = { ports: { agent, kubelet }, control }
    const takesMs = Math.max(ANSWER_AFTER_MS[agent], ANSWER_AFTER_MS[kubelet])
    this.#later(agent === 'nothing' ? Math.max(0, takesMs - passedMs) : takesMs, () =>
      this.watch.heardHost(this.now, answer),
    )
    return []
  }

  #later(ms: number, act: () => readonly WatchEffect[]): void {
    this.#agenda.at(this.now + ms, () => this.#do(act))
  }
}
