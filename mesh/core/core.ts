/**
 * The protocol of one node, whole: `step(now, input)` gives what to do, and `nextTickAt` when to call again. No clock, no
 * timer, no randomness of its own, no I/O: the agent runs it on sockets, the simulator on virtual time, and both run
 * this code. A peer's input never makes it throw.
 */

import { Enrolment } from './enrolment.ts'
import { Gossip, type Heard } from './gossip.ts'
import { type Hint, Hints } from './hints.ts'
import { Leader } from './leader.ts'
import { Links } from './links.ts'
import type { Effect, Input, Message } from './message.ts'
import type { Incarnation, Keyring, Millis, Now, Roster, SignedStatement, Standing, StatementBody } from './model.ts'
import { compareIncarnations } from './model.ts'
import { contactsOf, ringOf } from './ring.ts'
import { RollCallDesk } from './roll-call.ts'
import { checkTiming, type Timing } from './timing.ts'
import { Watch, type WatchEffect } from './watch.ts'

/** Later than now, by less than any timer can tell. */
const AFTER_MS = 0.001

export interface CoreOptions {
  readonly node: string
  readonly incarnation: Incarnation
  readonly roster: Roster
  readonly keyring: Keyring
  readonly timing: Timing
  /** Uniform in [0, 1). */
  random(): number
  /** Given to an aggregator, which leads and does not vote. */
  readonly lead?: {
    readonly term: number
    readonly rosterHash: string
    readonly standing: readonly Standing[]
    nonce(): string
  }
}

/** A peer's clock against ours, as last measured on an edge. */
export interface PeerClock {
  readonly node: string
  readonly offsetMs: number
  readonly rttMs: Millis
  readonly atMs: Millis
}

export class Core {
  readonly #options: CoreOptions
  readonly #timing: Timing
  readonly #roster: Roster
  readonly #watches: ReadonlyMap<string, Watch>
  readonly #links = new Links()
  readonly #gossip: Gossip
  readonly #desk: RollCallDesk
  readonly #enrolment: Enrolment
  readonly #hints: Hints
  #incarnation: Incarnation
  #nextTickAt: Millis
  #announceAt: Millis
  #downListAt: Millis
  #digestAt: Millis
  readonly leader: Leader | undefined

  constructor(now: Now, options: CoreOptions) {
    checkTiming(options.timing)
    const { node, incarnation, roster, keyring, timing, random, lead } = options
    this.#options = options
    this.#timing = timing
    this.#roster = roster
    this.#enrolment = new Enrolment(roster)
    this.#incarnation = incarnation
    this.#nextTickAt = now.ms
    this.#announceAt = now.ms
    this.#downListAt = now.ms
    this.#digestAt = now.ms + timing.digestEveryMs * random()
    const life = (subject: string) => ({ serial: this.#enrolment.serialOf(subject) ?? 0, boot: 0, refutations: 0 })
    const subjects = lead === undefined ? ringOf(roster).subjectsOf(node) : contactsOf(roster.members, random)
    this.#watches = new Map(
      subjects.map((subject) => [subject, new Watch(subject, life(subject), now.ms, timing, random)]),
    )
    this.#gossip = new Gossip({ node, ...incarnation }, keyring, this.#enrolment)
    this.#hints = new Hints(node, ringOf(roster), timing.beatMs / 2)
    const voter = {
      node,
      serial: incarnation.serial,
      observes: (subject: string) => lead === undefined && this.#watches.has(subject),
      answer: (at: Millis, subject: string) => this.#watches.get(subject)?.answer(at),
    }
    this.#desk = new RollCallDesk(voter, roster, keyring, timing)
    this.leader = lead === undefined ? undefined : new Leader({ node, roster, keyring, timing, ...lead })
  }

  /** When `step` wants its next tick, monotonic. A tick that comes 500 ms later than this means a pause. */
  get nextTickAt(): Millis {
    return this.#nextTickAt
  }

  get incarnation(): Incarnation {
    return this.#incarnation
  }

  get peerClocks(): readonly PeerClock[] {
    return [...this.#watches.values()].flatMap(({ subject: node, edge: { clock } }) =>
      clock === undefined ? [] : [{ node, ...clock }],
    )
  }

  /** Subjects that this observer could convict if they fell silent now. */
  convictable(now: Millis): readonly string[] {
    return [...this.#watches.values()].filter((watch) => watch.canConvict(now)).map(({ subject }) => subject)
  }

  step(now: Now, input: Input): readonly Effect[] {
    // Whatever comes first after a pause: the views from before it are not to be answered from.
    if (now.ms - this.#nextTickAt >= this.#timing.pauseMs) this.#resume(now.ms)
    const effects = [...this.#handle(now, input), ...this.#desk.tick(now.ms)]
    if (this.leader !== undefined) effects.push(...this.#lead(now.ms, this.leader))
    // A tick has done what was due by now; any other input may have made something due this very moment.
    if (input.kind === 'tick') this.#nextTickAt = this.#computeNextTick(now.ms + AFTER_MS)
    else if (now.ms < this.#nextTickAt) this.#nextTickAt = this.#computeNextTick(now.ms)
    return effects
  }

  #handle(now: Now, input: Input): readonly Effect[] {
    switch (input.kind) {
      case 'tick':
        return this.#tick(now.ms)
      case 'opened':
        return this.#opened(now.ms, input.peer, input.by, input.incarnation)
      case 'closed':
        return this.#closed(now.ms, input.peer, input.by)
      case 'message':
        return this.#message(now, input.from, input.message)
      case 'hostAnswer':
        return this.#watched(now.ms, input.subject, (watch) => watch.heardHost(now.ms, input.answer))
      case 'publish':
        return this.#say(now.ms, { kind: 'note', topic: input.topic, bytes: input.bytes }, input.ttlMs)
    }
  }

  #tick(now: Millis): readonly Effect[] {
    const effects = [...this.#watches.keys()].flatMap((subject) =>
      this.#watched(now, subject, (watch) => watch.tick(now)),
    )
    if (now >= this.#announceAt) effects.push(...this.#announce(now))
    if (now >= this.#digestAt) effects.push(...this.#compareDigests(now))
    return effects
  }

  #resume(now: Millis): void {
    for (const watch of this.#watches.values()) watch.edge.resumed(now)
    this.#nextTickAt = now
  }

  #announce(now: Millis): readonly Effect[] {
    this.#announceAt = now + this.#timing.announcementTtlMs / 3
    return this.#say(now, { kind: 'announcement', incarnation: this.#incarnation }, this.#timing.announcementTtlMs)
  }

  #compareDigests(now: Millis): readonly Effect[] {
    this.#digestAt = now + this.#timing.digestEveryMs
    this.#gossip.expire(now)
    const peers = this.#links.peers
    const peer = peers[Math.floor(this.#options.random() * peers.length)]
    return peer === undefined ? [] : [this.#digestTo(peer)]
  }

  #digestTo(to: string): Effect {
    return { kind: 'send', to, via: 'any', message: { kind: 'digest', ...this.#gossip.digest() } }
  }

  #opened(now: Millis, peer: string, by: 'me' | 'them', incarnation: Incarnation): readonly Effect[] {
    this.#links.opened(peer, by)
    this.leader?.lives(peer, incarnation)
    const watch = this.#watches.get(peer)
    watch?.lives(now, incarnation)
    if (by === 'them') {
      // It reached us, so it lives: no need to wait for our own next dial.
      watch?.edge.dialSoon(now)
      return [this.#digestTo(peer)]
    }
    return [...this.#watched(now, peer, (subject) => subject.opened(now)), this.#digestTo(peer)]
  }

  #closed(now: Millis, peer: string, by: 'me' | 'them'): readonly Effect[] {
    this.#links.closed(peer, by)
    return by === 'me' ? this.#watched(now, peer, (watch) => watch.closed(now)) : []
  }

  #message(now: Now, from: string, message: Message): readonly Effect[] {
    switch (message.kind) {
      case 'probe': {
        const ack: Message = { kind: 'ack', seq: message.seq, wallMs: now.wallMs, incarnation: this.#incarnation }
        return [{ kind: 'send', to: from, via: 'theirs', message: ack }]
      }
      case 'ack':
        this.#watches.get(from)?.lives(now.ms, message.incarnation)
        return this.#watched(now.ms, from, (watch) => watch.acked(now, message.seq, message.wallMs))
      case 'hint':
        return this.#hinted(now.ms, from, message)
      case 'gossip':
        return message.items.flatMap((item) => this.#hear(now.ms, from, item, message.history))
      case 'digest': {
        const items = this.#gossip.missingIn(now.ms, message)
        if (items.length === 0) return []
        return [{ kind: 'send', to: from, via: 'any', message: { kind: 'gossip', history: true, items } }]
      }
      case 'roll-call': {
        if (this.leader !== undefined) return []
        const passedOn = this.#desk.receive(now.ms, from, message.call, this.#links.peers)
        const subjects = message.call.rollCall.subjects.map(({ node }) => node)
        return [...passedOn, ...subjects.flatMap((subject) => this.#look(now.ms, subject))]
      }
      case 'answers':
        if (this.leader !== undefined) return this.leader.answered(message.nonce, message.present, message.answers)
        this.#desk.relay(now.ms, message.nonce, message.present, message.answers)
        return []
    }
  }

  #hinted(now: Millis, from: string, hint: Hint): readonly Effect[] {
    const outcome = this.#hints.receive(now, hint, this.#links)
    switch (outcome.kind) {
      case 'forward':
        return [outcome.effect]
      case 'look':
        return this.#look(now, outcome.subject)
      case 'dropped':
        return [{ kind: 'dropped', why: 'hint', from }]
    }
  }

  #look(now: Millis, subject: string): readonly Effect[] {
    return this.#watched(now, subject, (watch) => watch.hinted(now))
  }

  #hear(now: Millis, from: string, item: Heard, history: boolean): readonly Effect[] {
    const reception = this.#gossip.receive(now, item, history)
    if (reception.kind === 'known') return []
    if (reception.kind === 'refused') return [{ kind: 'dropped', why: reception.why, from }]
    const { signed } = item
    const heard: readonly Effect[] = reception.kind === 'fresh' ? [{ kind: 'heard', signed, history }] : []
    return [...heard, ...this.#spread(item, history, from), ...this.#takeIn(now, signed, history)]
  }

  #takeIn(now: Millis, { statement: { signer, body } }: SignedStatement, history: boolean): readonly Effect[] {
    switch (body.kind) {
      case 'accusation':
        if (history) return []
        this.leader?.accused(now, signer, body)
        return body.opinion === 'Alive' ? [] : this.#look(now, body.subject)
      case 'announcement':
        this.leader?.lives(signer, body.incarnation)
        this.#watches.get(signer)?.lives(now, body.incarnation)
        return []
      case 'down':
        return this.#heardDown(now, body)
      case 'note':
        return []
    }
  }

  #heardDown(now: Millis, notice: Extract<StatementBody, { kind: 'down' }>): readonly Effect[] {
    if (notice.subject === this.#options.node) {
      const isAboutMe = compareIncarnations(notice.incarnation, this.#incarnation) >= 0
      if (!notice.standing || !isAboutMe) return []
      this.#incarnation = { ...this.#incarnation, refutations: notice.incarnation.refutations + 1 }
      return this.#announce(now)
    }
    this.#watches.get(notice.subject)?.condemned(now, notice.standing ? now + this.#timing.downNoticeTtlMs : now)
    return []
  }

  /** Runs something on a watch, if there is one, and turns what it wants into effects. */
  #watched(now: Millis, subject: string, run: (watch: Watch) => readonly WatchEffect[]): readonly Effect[] {
    const watch = this.#watches.get(subject)
    return watch === undefined ? [] : run(watch).flatMap((effect) => this.#perform(now, subject, effect))
  }

  #perform(now: Millis, subject: string, effect: WatchEffect): readonly Effect[] {
    switch (effect.kind) {
      case 'probe':
        return [{ kind: 'send', to: subject, via: 'mine', message: { kind: 'probe', seq: effect.seq } }]
      case 'dial':
        return [{ kind: 'dial', peer: subject }]
      case 'abort':
        this.#links.cut(subject)
        return [{ kind: 'abort', peer: subject }]
      case 'ask':
        return [{ kind: 'askHost', subject, control: this.#controlPeer(subject) }]
      case 'hint':
        return this.leader === undefined ? this.#hintOthers(subject) : []
      case 'accuse': {
        if (this.leader !== undefined) return []
        const body = { kind: 'accusation', epoch: this.#roster.epoch, ...effect.accusation } as const
        return this.#say(now, body, this.#timing.accusationTtlMs)
      }
    }
  }

  /** Another member that answered on its last beat: whoever can reach it is not the one cut off. */
  #controlPeer(subject: string): string | undefined {
    const answers = ({ edge }: Watch) => edge.isOpen && edge.isHeard && edge.doubtSince === undefined
    return [...this.#watches.values()].find((watch) => watch.subject !== subject && answers(watch))?.subject
  }

  #hintOthers(subject: string): readonly Effect[] {
    const doubted = [...this.#watches.values()].filter(({ edge }) => edge.doubtSince !== undefined)
    return this.#hints.about(subject, new Set(doubted.map((watch) => watch.subject)), this.#links)
  }

  #say(now: Millis, body: StatementBody, ttlMs: Millis): readonly Effect[] {
    const signed = this.#gossip.publish(now, body, ttlMs)
    return this.#spread({ signed, ageMs: 0 }, false)
  }

  #spread(item: Heard, history: boolean, except?: string): readonly Effect[] {
    const message: Message = { kind: 'gossip', history, items: [item] }
    return this.#links.peers.filter((peer) => peer !== except).map((to) => ({ kind: 'send', to, via: 'any', message }))
  }

  #lead(now: Millis, leader: Leader): readonly Effect[] {
    const effects = leader.tick(now, this.#links.peers)
    const said = effects.flatMap((effect): readonly Effect[] => {
      if (effect.kind === 'commit') return this.#sayDown(now, effect.certificate, true)
      const isRecovery = effect.kind === 'notice' && effect.notice.kind === 'recovered'
      return isRecovery ? this.#sayDown(now, effect.notice.verdict, false) : []
    })
    if (now < this.#downListAt) return [...effects, ...said]
    this.#downListAt = now + this.#timing.downNoticeTtlMs / 3
    const standing = [...leader.conditions.standing.values()]
    return [...effects, ...said, ...standing.flatMap((verdict) => this.#sayDown(now, verdict, true))]
  }

  #sayDown(now: Millis, verdict: Standing, standing: boolean): readonly Effect[] {
    const { subject, incarnation, verdictId, kind } = verdict
    this.#watches.get(subject)?.condemned(now, standing ? now + this.#timing.downNoticeTtlMs : now)
    const body = { kind: 'down', subject, incarnation, verdict: kind, verdictId, standing } as const
    return this.#say(now, body, this.#timing.downNoticeTtlMs)
  }

  /** The earliest time from `from` on at which there is something to do. */
  #computeNextTick(from: Millis): Millis {
    const times = [this.#announceAt, this.#digestAt, this.#desk.nextAt(from)]
    for (const watch of this.#watches.values()) times.push(watch.nextAt(from))
    if (this.leader !== undefined) times.push(this.leader.nextAt(from), this.#downListAt)
    return Math.min(...times.filter((time) => time >= from))
  }
}
