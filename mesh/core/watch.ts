/**
 * One observer's view of one subject: edge and second channel together, the opinion that follows from them, and what of
 * it has been said aloud.
 */
import { type HostAnswer, SecondChannel } from './channel.ts'
import { Edge, type EdgeEffect } from './edge.ts'
import type { Accusation, Answer, ChannelResult, Incarnation, Millis, Now, Opinion } from './model.ts'
import { compareIncarnations } from './model.ts'
import type { Timing } from './timing.ts'

export type WatchEffect =
  | Exclude<EdgeEffect, { kind: 'doubt' }>
  /** Tell the co-observers, who look at once too. */
  | { readonly kind: 'hint' }
  | { readonly kind: 'ask' }
  | { readonly kind: 'accuse'; readonly accusation: Omit<Accusation, 'kind' | 'epoch'> }

export class Watch {
  readonly subject: string
  readonly edge: Edge
  readonly #timing: Timing
  readonly #random: () => number
  readonly #channel: SecondChannel
  #incarnation: Incarnation
  #askedAt: Millis | undefined
  #askAt: Millis = Number.POSITIVE_INFINITY
  #calibrateAt: Millis | undefined
  #said: { readonly opinion: Opinion; readonly at: Millis; readonly incarnation: Incarnation } | undefined

  constructor(subject: string, incarnation: Incarnation, now: Millis, timing: Timing, random: () => number) {
    this.subject = subject
    this.edge = new Edge(subject, now, timing, random)
    this.#timing = timing
    this.#random = random
    this.#channel = new SecondChannel(timing)
    this.#incarnation = incarnation
  }

  get incarnation(): Incarnation {
    return this.#incarnation
  }

  /** Whether this observer could convict the subject: it knows it well enough, and its paths to the host answer. */
  canConvict(now: Millis): boolean {
    return this.edge.isFit && this.edge.ackedBeats >= this.#timing.beatsBeforeVote && this.#channel.isCalibrated(now)
  }

  /** What this observer holds the subject for; undefined while it cannot say. */
  opinion(now: Millis): Opinion | undefined {
    const silentSince = this.edge.silentSince(now)
    if (silentSince === undefined) {
      return this.edge.doubtSince === undefined && this.edge.isHeard ? 'Alive' : undefined
    }
    switch (this.#answerSinceDoubt()) {
      case 'nothing':
        return now >= this.#nodeDownAt() ? 'NodeDown' : undefined
      case 'mute':
        return 'HostHung'
      case 'unknown':
        return this.#channel.controlFailed ? undefined : 'HostHung'
      case 'userland':
      case 'refused':
        return now >= this.#agentDownAt(silentSince) ? 'AgentDown' : undefined
      case undefined:
        return undefined
    }
  }

  /** This observer's answer in a roll-call; undefined while it cannot say yet. */
  answer(now: Millis): Pick<Answer, 'incarnation' | 'opinion' | 'channel' | 'forMs' | 'reason'> | undefined {
    const abstain = (reason: string) =>
      ({ incarnation: this.#incarnation, opinion: 'Abstain', channel: 'unknown', forMs: 0, reason }) as const
    if (!this.edge.isFit) return abstain('paused')
    if (this.edge.ackedBeats < this.#timing.beatsBeforeVote) return abstain('new')
    if (this.edge.doubtSince !== undefined && this.#channel.controlFailed) return abstain('control connect failed')
    const opinion = this.opinion(now)
    if (opinion === undefined) return undefined
    return { incarnation: this.#incarnation, opinion, channel: this.#result(), forMs: this.#forMs(now), reason: '' }
  }

  /** A later life of the subject was heard of. */
  lives(now: Millis, incarnation: Incarnation): void {
    if (compareIncarnations(incarnation, this.#incarnation) <= 0) return
    this.#incarnation = incarnation
    this.edge.dialSoon(now)
  }

  /** A verdict about the subject stands until then, unless it is said again. When it ends, everything is asked afresh. */
  condemned(now: Millis, untilMs: Millis): void {
    if (this.edge.isDown(now) && untilMs <= now) {
      this.#said = undefined
      this.edge.resumed(now)
      this.edge.dialSoon(now)
    }
    this.edge.downUntil = untilMs
  }

  heardHost(now: Millis, answer: HostAnswer): readonly WatchEffect[] {
    const askedAt = this.#askedAt ?? now
    const { doubtSince } = this.edge
    this.#askedAt = undefined
    // Asked before the doubt, it does not settle it: ask again at once.
    this.#askAt = doubtSince !== undefined && askedAt < doubtSince ? now : now + this.#timing.askEveryMs
    this.#channel.heard(now, askedAt, answer, doubtSince === undefined && this.edge.isHeard)
    return this.#speak(now)
  }

  acked(now: Now, seq: number, peerWallMs: number): readonly WatchEffect[] {
    this.edge.acked(now, seq, peerWallMs)
    this.#calibrateAt ??= now.ms + this.#timing.beatMs * this.#random()
    return this.#speak(now.ms)
  }

  opened(now: Millis): readonly WatchEffect[] {
    return this.#follow(now, this.edge.opened(now))
  }

  closed(now: Millis): readonly WatchEffect[] {
    return this.#follow(now, this.edge.closed(now))
  }

  hinted(now: Millis): readonly WatchEffect[] {
    // The hint came from a co-observer, so there is nobody left to tell.
    return this.#follow(now, this.edge.hinted(now)).filter((effect) => effect.kind !== 'hint')
  }

  tick(now: Millis): readonly WatchEffect[] {
    const effects = [...this.#follow(now, this.edge.tick(now))]
    const wantsAnswer = this.edge.doubtSince !== undefined && !this.edge.isDown(now) && now >= this.#askAt
    const wantsCalibration = this.#calibrateAt !== undefined && now >= this.#calibrateAt && this.edge.isOpen
    if (wantsAnswer || wantsCalibration) effects.push(...this.#ask(now))
    return [...effects, ...this.#speak(now)]
  }

  nextAt(from: Millis): Millis {
    const times = [this.edge.nextAt(from)]
    if (this.#askedAt !== undefined) times.push(this.#askedAt + this.#timing.askMaxMs)
    else {
      if (this.edge.doubtSince !== undefined && !this.edge.isDown(from)) times.push(this.#askAt)
      if (this.#calibrateAt !== undefined && this.edge.isOpen) times.push(this.#calibrateAt)
    }
    if (this.#said !== undefined && this.#said.opinion !== 'Alive') times.push(this.#said.at + this.#timing.repeatMs)
    const silentSince = this.edge.silentSince(from)
    if (silentSince !== undefined) times.push(this.#agentDownAt(silentSince), this.#nodeDownAt())
    return Math.min(...times.filter((time) => time >= from))
  }

  #nodeDownAt(): Millis {
    return (this.edge.unansweredSince ?? 0) + this.#timing.nodeDownMs
  }

  /** Both must have lasted: the agent's silence, and the host's answers, so that a reboot is no AgentDown. */
  #agentDownAt(silentSince: Millis): Millis {
    return Math.max(silentSince, this.#channel.answeringSince ?? silentSince) + this.#timing.agentDownMs
  }

  #follow(now: Millis, effects: readonly EdgeEffect[]): readonly WatchEffect[] {
    return effects.flatMap((effect): readonly WatchEffect[] => {
      if (effect.kind === 'doubt') return this.edge.isDown(now) ? [] : [{ kind: 'hint' }, ...this.#ask(now)]
      // A subject on the down list is asked no more than it is dialled: each ask takes a place in a hung host's queue.
      if (effect.kind === 'dial' && this.edge.isDown(now)) return [effect, ...this.#ask(now)]
      return [effect]
    })
  }

  #ask(now: Millis): readonly WatchEffect[] {
    if (this.#askedAt !== undefined && now - this.#askedAt < this.#timing.askMaxMs) return []
    this.#askedAt = now
    const { calibrateEveryMs } = this.#timing
    this.#calibrateAt = now + calibrateEveryMs * (0.9 + 0.2 * this.#random())
    return [{ kind: 'ask' }]
  }

  #speak(now: Millis): readonly WatchEffect[] {
    const opinion = this.opinion(now)
    if (opinion === undefined || !this.#isWorthSaying(now, opinion)) return []
    this.#said = { opinion, at: now, incarnation: this.#incarnation }
    const { subject } = this
    const channel = this.#result()
    const silentMs = this.#forMs(now)
    return [{ kind: 'accuse', accusation: { subject, incarnation: this.#incarnation, opinion, channel, silentMs } }]
  }

  #isWorthSaying(now: Millis, opinion: Opinion): boolean {
    const said = this.#said
    const due = said === undefined || now - said.at >= this.#timing.repeatMs
    if (opinion === 'Alive') {
      if (this.edge.isDown(now)) return due && this.edge.unbrokenBeats >= this.#timing.recoverBeats
      return said !== undefined && said.opinion !== 'Alive'
    }
    if (!this.edge.isFit || this.edge.ackedBeats < this.#timing.beatsBeforeVote) return false
    // After the verdict there is nothing left to accuse of, but that its host answers is news.
    if (this.edge.isDown(now) && opinion !== 'AgentDown') return false
    return due || said.opinion !== opinion || compareIncarnations(said.incarnation, this.#incarnation) < 0
  }

  #answerSinceDoubt(): ChannelResult | undefined {
    return this.edge.doubtSince === undefined ? undefined : this.#channel.resultSince(this.edge.doubtSince)
  }

  #result(): ChannelResult {
    return this.#answerSinceDoubt() ?? 'unknown'
  }

  #forMs(now: Millis): Millis {
    const since = this.edge.silentSince(now) ?? this.edge.lastAckAt
    return since === undefined ? 0 : Math.round(now - since)
  }
}
