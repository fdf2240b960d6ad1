/**
 * One observer's view of one subject: edge and second channel together, the opinion that follows from them, and what of
 * it has been said aloud.
 */
import { type HostAnswer, SecondChannel } from './channel.ts'
import { CoObservers } from './co-observers.ts'
import { Edge, type EdgeEffect } from './edge.ts'
import { HostInDoubt } from './host-in-doubt.ts'
import type { Accusation, Answer, ChannelResult, Incarnation, Millis, Now, Opinion } from './model.ts'
import { compareIncarnations } from './model.ts'
import { earlier, type Timing } from './timing.ts'

export type WatchEffect =
  | Exclude<EdgeEffect, { kind: 'doubt' }>
  /** Tell the co-observers, who look at once too. */
  | { readonly kind: 'hint' }
  /** Tell an observer that hinted that the subject acked to this one. */
  | { readonly kind: 'indirect-ack'; readonly to: string; readonly ageMs: Millis }
  | { readonly kind: 'ask' }
  | { readonly kind: 'accuse'; readonly accusation: Omit<Accusation, 'kind' | 'epoch' | 'term'> }

const NOTHING: readonly WatchEffect[] = []
const HINT: readonly WatchEffect[] = [{ kind: 'hint' }]

export class Watch {
  readonly subject: string
  readonly edge: Edge
  readonly #timing: Timing
  readonly #random: () => number
  readonly #channel: SecondChannel
  readonly #host: HostInDoubt
  #incarnation: Incarnation
  #askedAt: Millis | undefined
  #askAt: Millis = Number.POSITIVE_INFINITY
  #calibrateAt: Millis | undefined
  readonly #coObservers: CoObservers
  #recoverBeats: number
  /** The life that left, and until when it means to be away. */
  #leave: { readonly incarnation: Incarnation; readonly untilMs: Millis } | undefined
  #said: { readonly opinion: Opinion; readonly at: Millis; readonly incarnation: Incarnation } | undefined

  constructor(subject: string, incarnation: Incarnation, now: Millis, timing: Timing, random: () => number) {
    this.subject = subject
    this.edge = new Edge(subject, now, timing, random)
    this.#timing = timing
    this.#random = random
    this.#channel = new SecondChannel(timing)
    this.#host = new HostInDoubt(this.edge, this.#channel)
    this.#coObservers = new CoObservers(timing.beatMs)
    this.#incarnation = incarnation
    this.#recoverBeats = timing.recoverBeats
  }

  get incarnation(): Incarnation {
    return this.#incarnation
  }

  /** Whether this observer could convict the subject: it knows it well enough, and its paths to the host answer. */
  canConvict(now: Millis): boolean {
    return this.edge.isFit && this.edge.ackedBeats >= this.#timing.beatsBeforeVote && this.isCalibrated(now)
  }

  /** Whether the subject's host is known to take connections. */
  isCalibrated(now: Millis): boolean {
    return this.#channel.isCalibrated(now)
  }

  /** It misses the subject and a co-observer does not: the fault may well be here. */
  isAloneWithItsDoubt(now: Millis): boolean {
    const silentSince = this.edge.silentSince(now)
    return silentSince !== undefined && this.#coObservers.heardAt > silentSince
  }

  /** It misses the subject, and could not reach another member either. */
  get hasNobodyElse(): boolean {
    return this.edge.doubtSince !== undefined && this.#channel.controlFailed
  }

  /** What this observer holds the subject for; undefined while it cannot say. */
  opinion(now: Millis): Opinion | undefined {
    const silentSince = this.edge.silentSince(now)
    if (silentSince === undefined) {
      return this.edge.doubtSince === undefined && this.edge.isHeard ? 'Alive' : undefined
    }
    if (this.#isOnLeave(now)) return this.#host.isSilentFor(this.#timing.leaveDownMs, now) ? 'NodeDown' : undefined
    switch (this.#host.result) {
      case 'nothing':
        return now >= this.#nodeDownAt() ? 'NodeDown' : undefined
      case 'mute':
        return 'HostHung'
      case 'lossy':
        return 'LinkFault'
      case 'unknown':
        if (this.#channel.controlFailed) return undefined
        // Its path cannot be asked, but at the end its kernel spoke: a process had gone, not the host.
        if (this.edge.wasHungUpOn) return now >= this.#agentDownAt(silentSince) ? 'AgentDown' : undefined
        return 'HostHung'
      case 'userland':
      case 'refused':
        return now >= this.#agentDownAt(silentSince) ? 'AgentDown' : undefined
      case undefined:
        return undefined
    }
  }

  /** This observer's answer in a roll-call; undefined while it cannot say yet. */
  answer(
    now: Millis,
    degraded: string | undefined,
  ): Pick<Answer, 'incarnation' | 'opinion' | 'channel' | 'forMs' | 'reason'> | undefined {
    const abstain = (reason: string) =>
      ({ incarnation: this.#incarnation, opinion: 'Abstain', channel: 'unknown', forMs: 0, reason }) as const
    if (degraded !== undefined) return abstain(degraded)
    if (!this.edge.isFit) return abstain('paused')
    if (this.edge.ackedBeats < this.#timing.beatsBeforeVote) return abstain('new')
    if (this.hasNobodyElse) return abstain('control connect failed')
    if (this.#isOnLeave(now) && this.edge.doubtSince !== undefined && this.opinion(now) === undefined) {
      return abstain('on leave')
    }
    const about = { incarnation: this.#incarnation, forMs: this.#forMs(now), reason: '' }
    // It takes connects; whether anything is behind them takes up to two seconds, which a roll-call does not.
    if (this.#host.isJustAccepted(this.#askedAt)) return { ...about, opinion: 'LinkFault', channel: 'mute' }
    // A host that answers is worth saying at once: it must not look as if nobody vouched for it.
    const opinion = this.opinion(now) ?? (this.#host.hasAnswered ? 'AgentDown' : undefined)
    if (opinion === undefined || this.#host.isOldNews) return undefined
    return { ...about, opinion, channel: this.#result() }
  }

  /** A later life of the subject was heard of. */
  lives(now: Millis, incarnation: Incarnation): void {
    if (compareIncarnations(incarnation, this.#incarnation) <= 0) return
    this.#incarnation = incarnation
    this.edge.dialSoon(now)
  }

  /** The subject says that it stops for a while: until then only its host is asked. */
  leaves(incarnation: Incarnation, untilMs: Millis): void {
    const isLater = this.#leave === undefined || compareIncarnations(incarnation, this.#leave.incarnation) > 0
    if (isLater && compareIncarnations(incarnation, this.#incarnation) >= 0) this.#leave = { incarnation, untilMs }
  }

  /** To a new leader, or on a new roster, what was said before counts no more. */
  sayAgain(): void {
    if (this.#said?.opinion === 'Alive') this.#said = undefined
    else if (this.#said !== undefined) this.#said = { ...this.#said, at: Number.NEGATIVE_INFINITY }
  }

  /** A verdict about the subject stands until then, unless it is said again. When it ends, everything is asked afresh. */
  condemned(now: Millis, untilMs: Millis, recoverBeats: number): void {
    this.#recoverBeats = recoverBeats
    if (this.edge.isDown(now) && untilMs <= now) {
      this.#said = undefined
      this.edge.resumed(now)
      this.edge.dialSoon(now)
    }
    this.edge.downUntil = untilMs
  }

  /** A port of the host took a connect. */
  hostAccepted(now: Millis): void {
    this.#host.accepted(now)
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
    // Not sooner: what was silent while it was away is no news until it is heard again.
    const left = this.#leave?.incarnation
    if (left !== undefined && compareIncarnations(this.#incarnation, left) > 0) this.#leave = undefined
    this.#calibrateAt ??= now.ms + this.#timing.beatMs * this.#random()
    const hinters = this.#coObservers.takeHinters()
    const spoken = this.#speak(now.ms)
    if (hinters.length === 0) return spoken
    return [...hinters.map((to) => ({ kind: 'indirect-ack', to, ageMs: 0 }) as const), ...spoken]
  }

  opened(now: Millis): readonly WatchEffect[] {
    return this.#follow(now, this.edge.opened(now))
  }

  closed(now: Millis): readonly WatchEffect[] {
    return this.#follow(now, this.edge.closed(now))
  }

  /**
   * The leader asks about the subject, in the latest life that it has heard of. One that died soon after it had begun a new
   * life was heard in it by some alone; the votes of the others would be of a life that is over.
   */
  asked(now: Millis, incarnation: Incarnation): readonly WatchEffect[] {
    this.lives(now, incarnation)
    return [...this.look(now), ...this.#speak(now)]
  }

  /** Somebody else asks about the subject: look now rather than at the next beat. */
  look(now: Millis): readonly WatchEffect[] {
    this.#host.lookedAt(now)
    // Whoever asks has told the others, too.
    const effects = this.#follow(now, this.edge.hinted(now)).filter((effect) => effect.kind !== 'hint')
    const isStale = this.edge.doubtSince !== undefined && !this.edge.isDown(now) && this.#host.hasAnswered
    return isStale ? [...effects, ...this.#ask(now)] : effects
  }

  /** A co-observer misses the subject: look, and tell it when the subject acks to this one. */
  hintedBy(now: Millis, observer: string): readonly WatchEffect[] {
    // Looking comes first: the doubt that it raises begins with nobody to answer.
    const effects = this.look(now)
    this.#coObservers.hintedBy(observer)
    return effects
  }

  /** The subject acked to a co-observer at that time. */
  heardByOther(atMs: Millis): void {
    this.#coObservers.heard(atMs)
  }

  tick(now: Millis): readonly WatchEffect[] {
    const effects = this.#follow(now, this.edge.tick(now))
    const wantsAnswer = this.edge.doubtSince !== undefined && !this.edge.isDown(now) && now >= this.#askAt
    const wantsCalibration = this.#calibrateAt !== undefined && now >= this.#calibrateAt && this.edge.isOpen
    const asked = wantsAnswer || wantsCalibration ? this.#ask(now) : NOTHING
    const hinted = this.#hintAgain(now)
    const spoken = this.#speak(now)
    // At most beats there is nothing but a probe to send.
    if (asked.length + hinted.length + spoken.length === 0) return effects
    return [...effects, ...asked, ...hinted, ...spoken]
  }

  /** As of Edge. What is overdue and not ticked yet counts, too: something else may have come before a late tick. */
  nextAt(after: Millis): Millis {
    let next = this.edge.nextAt(after)
    if (this.#askedAt !== undefined) next = earlier(after, next, this.#askedAt + this.#timing.askMaxMs)
    else {
      if (this.edge.doubtSince !== undefined && !this.edge.isDown(after)) next = earlier(after, next, this.#askAt)
      if (this.#calibrateAt !== undefined && this.edge.isOpen) next = earlier(after, next, this.#calibrateAt)
    }
    if (this.edge.doubtSince !== undefined) next = earlier(after, next, this.#coObservers.hintAt)
    if (this.#leave !== undefined) next = earlier(after, next, this.#leave.untilMs)
    const said = this.#said
    if (said !== undefined && said.opinion !== 'Alive') next = earlier(after, next, said.at + this.#timing.repeatMs)
    const { nothingSince } = this.#channel
    if (this.#leave !== undefined && nothingSince !== undefined) {
      next = earlier(after, next, nothingSince + this.#timing.leaveDownMs)
    }
    const silentSince = this.edge.silentSince(after)
    if (silentSince === undefined) return next
    return earlier(after, earlier(after, next, this.#agentDownAt(silentSince)), this.#nodeDownAt())
  }

  #isOnLeave(now: Millis): boolean {
    return this.#leave !== undefined && now < this.#leave.untilMs
  }

  #hintAgain(now: Millis): readonly WatchEffect[] {
    const isOver = this.edge.doubtSince === undefined || this.edge.isDown(now)
    return this.#coObservers.mayHint(now, isOver) ? HINT : NOTHING
  }

  #nodeDownAt(): Millis {
    return (this.edge.unansweredSince ?? 0) + this.#timing.nodeDownMs
  }

  /** Both must have lasted: the agent's silence, and the host's answers, so that a reboot is no AgentDown. */
  #agentDownAt(silentSince: Millis): Millis {
    return Math.max(silentSince, this.#channel.answeringSince ?? silentSince) + this.#timing.agentDownMs
  }

  #follow(now: Millis, effects: readonly EdgeEffect[]): readonly WatchEffect[] {
    if (effects.length === 0) return NOTHING
    return effects.flatMap((effect): readonly WatchEffect[] => {
      if (effect.kind === 'doubt') {
        this.#coObservers.doubted(now)
        return this.edge.isDown(now) ? [] : [...this.#hintAgain(now), ...this.#ask(now)]
      }
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
    if (opinion === undefined || !this.#isWorthSaying(now, opinion)) return NOTHING
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
      if (this.edge.isDown(now)) return due && this.edge.unbrokenBeats >= this.#recoverBeats
      return said !== undefined && said.opinion !== 'Alive'
    }
    if (!this.edge.isFit || this.edge.ackedBeats < this.#timing.beatsBeforeVote) return false
    // After the verdict there is nothing left to accuse of, but that its host answers is news.
    if (this.edge.isDown(now) && opinion !== 'AgentDown') return false
    return due || said.opinion !== opinion || compareIncarnations(said.incarnation, this.#incarnation) < 0
  }

  #result(): ChannelResult {
    return this.#host.result ?? 'unknown'
  }

  #forMs(now: Millis): Millis {
    const since = this.edge.silentSince(now) ?? this.edge.lastAckAt
    return since === undefined ? 0 : Math.round(now - since)
  }
}
