/**
 * One edge: this node probes one subject over one long-lived stream. The edge knows when the subject is in doubt and
 * since when it is silent; what that means is decided in observer.ts. Pure: time and randomness come in, things to do
 * go out.
 */
import type { Millis, Now } from './model.ts'
import { RoundTrips } from './round-trips.ts'
import { earlier, type Timing } from './timing.ts'

export type EdgeEffect =
  | { readonly kind: 'probe'; readonly seq: number }
  | { readonly kind: 'dial' }
  /** Cut the connection, not just the stream: it is the connection's retransmission back-off that must go. */
  | { readonly kind: 'abort' }
  /** First doubt: ask the host, tell the co-observers. */
  | { readonly kind: 'doubt' }

export interface ClockSample {
  readonly rttMs: Millis
  /** Peer's wall clock minus our monotonic one, corrected by half of the round trip: no step of our own wall clock moves it. */
  readonly aheadMs: number
  readonly atMs: Millis
}

/** A dial is over in a few milliseconds, or its SYN was lost: the kernel sends the next ones after 1, 3 and 7 s. */
const STUCK_AFTER_MS = 500

export class Edge {
  readonly subject: string
  readonly #timing: Timing
  readonly #random: () => number
  #stream: 'closed' | 'dialing' | 'open' = 'closed'
  #seq = 0
  readonly #sent = new Map<number, Millis>()
  #beatAt: Millis
  #dialAt: Millis
  #quickRedial = true
  /** When the subject was heard of in another way, though it had been dialled for some time. */
  #stuckSince: Millis | undefined
  /** When the oldest unanswered probe was sent. */
  #waitingSince: Millis | undefined
  #doubtSince: Millis | undefined
  /** When the probe was sent that raised the doubt. */
  #unansweredSince: Millis | undefined
  #burstLeft = 0
  #burstAt: Millis = 0
  #lastAckAt: Millis | undefined
  #ackedBeats = 0
  #unbrokenBeats = 0
  #countedBeatAt = Number.NEGATIVE_INFINITY
  #openedAt: Millis = 0
  /** Silence is never counted from before this: the process was paused until then. */
  #notBefore: Millis = 0
  #wasHungUpOn = false
  #fit = true
  /** Until when the subject is on the down list, as far as the leader has said. */
  downUntil = Number.NEGATIVE_INFINITY
  clock: ClockSample | undefined
  /** Of beats alone: what a doubt sends all at once says little about the link. */
  readonly trips = new RoundTrips()

  constructor(subject: string, now: Millis, timing: Timing, random: () => number) {
    this.subject = subject
    this.#timing = timing
    this.#random = random
    this.#dialAt = now
    this.#beatAt = now
  }

  get isOpen(): boolean {
    return this.#stream === 'open'
  }

  get lastAckAt(): Millis | undefined {
    return this.#lastAckAt
  }

  /** Beats acked since the edge exists. */
  get ackedBeats(): number {
    return this.#ackedBeats
  }

  /** Beats acked since the subject was last in doubt. */
  get unbrokenBeats(): number {
    return this.#unbrokenBeats
  }

  /** False from a pause of this process until the edge has acked again or was redialled. */
  get isFit(): boolean {
    return this.#fit
  }

  /** Since its last ack the peer, or its kernel, has ended the stream: it lived then. */
  get wasHungUpOn(): boolean {
    return this.#wasHungUpOn
  }

  get doubtSince(): Millis | undefined {
    return this.#doubtSince
  }

  /** On the down list: redialled rarely. An entry that the leader does not renew lapses, so nothing latches. */
  isDown(now: Millis): boolean {
    return now < this.downUntil
  }

  /** Whether an ack has come since this process was last paused. */
  get isHeard(): boolean {
    return this.#lastAckAt !== undefined && this.#lastAckAt >= this.#notBefore
  }

  /** Since when no probe was answered; undefined while the subject is not in doubt. */
  get unansweredSince(): Millis | undefined {
    return this.#doubtSince === undefined ? undefined : this.#unansweredSince
  }

  /** Since when the subject is silent, counted from its last ack; undefined while it is not. */
  silentSince(now: Millis): Millis | undefined {
    if (this.#doubtSince === undefined || now - this.#doubtSince < this.#timing.silentMs) return undefined
    return Math.max(this.#lastAckAt ?? this.#doubtSince, this.#notBefore)
  }

  opened(now: Millis): readonly EdgeEffect[] {
    this.#stream = 'open'
    this.#stuckSince = undefined
    this.#openedAt = now
    this.#fit = true
    this.#sent.clear()
    this.#waitingSince = undefined
    // Proves the new stream at once; an edge still in doubt stays in doubt until this is acked.
    return this.#beat(now)
  }

  /** The stream ended, and not by this node, or a dial failed. */
  closed(now: Millis): readonly EdgeEffect[] {
    if (this.#stream === 'open') this.#wasHungUpOn = true
    return this.#ended(now)
  }

  #ended(now: Millis): readonly EdgeEffect[] {
    const broke = this.#stream === 'open'
    this.#unbrokenBeats = 0
    this.#stream = 'closed'
    this.#stuckSince = undefined
    this.#sent.clear()
    this.#burstLeft = 0
    if (!broke) this.#fit = true
    const { redialMinMs, redialMaxMs, redialDownMinMs, redialDownMaxMs, redialFirstMs } = this.#timing
    const [low, high] = this.isDown(now) ? [redialDownMinMs, redialDownMaxMs] : [redialMinMs, redialMaxMs]
    const wait = broke && this.#quickRedial ? redialFirstMs * this.#random() : low + (high - low) * this.#random()
    this.#quickRedial = false
    this.#dialAt = now + wait
    const effects = this.#doubt(now)
    this.#waitingSince = undefined
    return effects
  }

  acked(now: Now, seq: number, peerWallMs: number): void {
    const sentAt = this.#sent.get(seq)
    if (sentAt === undefined) return
    for (const earlier of this.#sent.keys()) if (earlier <= seq) this.#sent.delete(earlier)
    const rttMs = now.ms - sentAt
    this.trips.answered(seq, rttMs)
    this.clock = { rttMs, aheadMs: peerWallMs + rttMs / 2 - now.ms, atMs: now.ms }
    // On a link that loses packets an ack may come long after its sender has died. A doubt is settled by what was asked
    // since; a peer that lives answers that, too, right behind.
    if (this.#doubtSince !== undefined && sentAt < this.#doubtSince) return
    // What is answered at once breaks nothing, however often somebody asks: a beat that was late does.
    const isLate = this.#doubtSince !== undefined && now.ms - (this.#waitingSince ?? sentAt) >= this.#timing.lateMs
    if (isLate) this.#unbrokenBeats = 0
    // The acks of a burst are one beat.
    if (now.ms - this.#countedBeatAt >= this.#timing.beatMs / 2) {
      this.#countedBeatAt = now.ms
      this.#ackedBeats++
      this.#unbrokenBeats++
    }
    this.#waitingSince = undefined
    this.#doubtSince = undefined
    this.#wasHungUpOn = false
    this.#burstLeft = 0
    this.#lastAckAt = now.ms
    this.#fit = true
    this.#quickRedial = true
  }

  /** A co-observer missed the subject, or the leader asks: look now rather than at the next beat. */
  hinted(now: Millis): readonly EdgeEffect[] {
    if (this.#doubtSince !== undefined || this.#stream === 'dialing') return []
    return this.#doubt(now)
  }

  /** The subject was heard of in another way, such as by its own dial: stop waiting, for the next redial or for a SYN resent. */
  dialSoon(now: Millis): void {
    if (this.#stream === 'closed') this.#dialAt = Math.min(this.#dialAt, now)
    else if (this.#stream === 'dialing' && now - this.#dialAt >= STUCK_AFTER_MS) this.#stuckSince = now
  }

  /** This process was paused: whatever seems late may be our own doing. Everything is asked afresh. */
  resumed(now: Millis): void {
    this.trips.forgetOpen()
    this.#sent.clear()
    this.#waitingSince = undefined
    this.#doubtSince = undefined
    this.#burstLeft = 0
    this.#fit = false
    this.#notBefore = now
    this.#beatAt = now
  }

  /** The earliest time after `after`, when it last ticked, at which `tick` has something to do, or silence begins. */
  nextAt(after: Millis): Millis {
    const doubtSince = this.#doubtSince
    let next = Number.POSITIVE_INFINITY
    if (doubtSince !== undefined) next = earlier(after, next, doubtSince + this.#timing.silentMs)
    if (this.#stream === 'closed') return earlier(after, next, this.#dialAt)
    if (this.#stream === 'dialing')
      return earlier(after, next, this.#stuckSince ?? this.#dialAt + this.#timing.dialMaxMs)
    next = earlier(after, next, this.#beatAt)
    if (doubtSince !== undefined) next = earlier(after, next, this.#abortAt(doubtSince))
    else if (this.#waitingSince !== undefined) next = earlier(after, next, this.#waitingSince + this.#timing.lateMs)
    return this.#burstLeft > 0 ? earlier(after, next, this.#burstAt) : next
  }

  tick(now: Millis): readonly EdgeEffect[] {
    const effects: EdgeEffect[] = []
    const stuckSince = this.#stuckSince
    if (this.#stream === 'dialing' && now >= (stuckSince ?? this.#dialAt + this.#timing.dialMaxMs)) {
      effects.push({ kind: 'abort' }, ...this.#ended(now))
      if (stuckSince !== undefined) this.#dialAt = now
    }
    if (this.#stream === 'closed' && now >= this.#dialAt) {
      this.#stream = 'dialing'
      this.#dialAt = now
      effects.push({ kind: 'dial' })
    }
    if (this.#stream !== 'open') return effects
    if (now >= this.#beatAt) effects.push(...this.#beat(now))
    if (this.#waitingSince !== undefined && now - this.#waitingSince >= this.#timing.lateMs) {
      effects.push(...this.#doubt(now))
    }
    if (this.#burstLeft > 0 && now >= this.#burstAt) effects.push(this.#burst(now))
    if (this.#doubtSince !== undefined && now >= this.#abortAt(this.#doubtSince)) {
      effects.push({ kind: 'abort' }, ...this.#ended(now))
    }
    return effects
  }

  #abortAt(doubtSince: Millis): Millis {
    return Math.max(doubtSince, this.#openedAt) + this.#timing.abortMs
  }

  #beat(now: Millis): readonly EdgeEffect[] {
    const { beatMs, beatJitter } = this.#timing
    this.#beatAt = now + beatMs * (1 + beatJitter * (2 * this.#random() - 1))
    const probe = this.#probe(now)
    this.trips.asked(this.#seq, now)
    return [probe]
  }

  #probe(now: Millis): EdgeEffect {
    const seq = ++this.#seq
    this.#sent.set(seq, now)
    this.#waitingSince ??= now
    return { kind: 'probe', seq }
  }

  #burst(now: Millis): EdgeEffect {
    this.#burstLeft--
    this.#burstAt = now + this.#timing.burstEveryMs
    return this.#probe(now)
  }

  #doubt(now: Millis): readonly EdgeEffect[] {
    if (this.#doubtSince !== undefined) return []
    this.#doubtSince = now
    // A hint or a roll-call stands for a probe of somebody else's, which was late by then.
    this.#unansweredSince = Math.min(this.#waitingSince ?? now, now - this.#timing.lateMs)
    if (this.#stream !== 'open') return [{ kind: 'doubt' }]
    // The first probe goes out at once: a roll-call may close before the next tick.
    this.#burstLeft = this.#timing.burstProbes
    return [this.#burst(now), { kind: 'doubt' }]
  }
}
