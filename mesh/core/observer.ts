/**
 * This node as an observer: all its subjects, what it wants of them and of its co-observers, and whether it is fit to judge
 * at all. What it holds against a subject it says by way of `accuse`.
 */
import type { PeerClock, PeerLink, Vote } from './core-options.ts'
import { type Hint, Hints, type IndirectAck } from './hints.ts'
import type { Links } from './links.ts'
import { LocalHealth } from './local-health.ts'
import type { Membership } from './membership.ts'
import type { Effect } from './message.ts'
import type { Accusation, Answer, DownNotice, Incarnation, Millis, Now } from './model.ts'
import { contactsOf } from './ring.ts'
import type { Timing } from './timing.ts'
import { Watch, type WatchEffect } from './watch.ts'
import { Watches } from './watches.ts'

/** Members that are connected to at the same time as a host that is in doubt: one may have a fault of its own. */
const CONTROLS = 3

export interface ObserverOptions {
  readonly node: string
  readonly membership: Membership
  readonly links: Links
  readonly timing: Timing
  /** Uniform in [0, 1). */
  random(): number
  /** False for an aggregator, which keeps edges to a few contacts and has no vote. */
  readonly votes: boolean
  /** Says to the leader what this observer holds a subject for. */
  accuse(now: Millis, accusation: Omit<Accusation, 'kind' | 'epoch' | 'term'>): readonly Effect[]
}

export class Observer {
  readonly #options: ObserverOptions
  readonly #watches = new Watches()
  readonly #hints: Hints
  readonly health: LocalHealth

  constructor(now: Millis, options: ObserverOptions) {
    this.#options = options
    this.#hints = new Hints(options.node, options.membership, options.timing.beatMs / 2)
    this.health = new LocalHealth(now, options.timing)
    this.advanced(now)
  }

  get peerClocks(): readonly PeerClock[] {
    return [...this.#watches].flatMap(({ subject: node, edge: { clock } }) =>
      clock === undefined ? [] : [{ node, ...clock }],
    )
  }

  /** How the beats to each subject fared lately. */
  peerLinks(now: Millis): readonly PeerLink[] {
    return [...this.#watches].flatMap(({ subject: node, edge }) => {
      const quality = edge.trips.quality(now)
      return quality === undefined ? [] : [{ node, ...quality }]
    })
  }

  /** What it would answer about each subject in a roll-call now; those that it cannot say yet are left out. */
  votes(now: Millis): readonly Vote[] {
    return [...this.#watches].flatMap((watch) => {
      const answer = watch.answer(now, this.health.degraded)
      return answer === undefined ? [] : [{ subject: watch.subject, ...answer }]
    })
  }

  /** Why this node abstains from every vote; undefined while it is fit. */
  get degraded(): string | undefined {
    return this.health.degraded
  }

  /** Subjects that this observer could convict if they fell silent now. */
  convictable(now: Millis): readonly string[] {
    if (this.health.degraded !== undefined) return []
    return [...this.#watches].filter((watch) => watch.canConvict(now)).map(({ subject }) => subject)
  }

  /** Whether this node has a vote on the subject. */
  votesOn(subject: string): boolean {
    return this.#options.votes && this.#watches.has(subject)
  }

  /** This observer's answer in a roll-call; undefined while it cannot say yet. */
  answer(
    now: Millis,
    subject: string,
  ): Pick<Answer, 'incarnation' | 'opinion' | 'channel' | 'forMs' | 'reason'> | undefined {
    return this.#watches.get(subject)?.answer(now, this.health.degraded)
  }

  tick(now: Millis): readonly Effect[] {
    const effects: Effect[] = []
    for (const watch of this.#watches.due(now)) {
      const { subject } = watch
      for (const effect of watch.tick(now)) effects.push(...this.#perform(now, subject, effect))
      this.#watches.ticked(now, subject)
    }
    if (now >= this.health.nextAt) this.#examineMyself(now)
    return effects
  }

  get nextAt(): Millis {
    return Math.min(this.#watches.nextAt, this.health.nextAt)
  }

  /** This process was paused: its views from before are not to be answered from. */
  resumed(now: Millis): void {
    this.health.hurt('it was paused')
    for (const watch of this.#watches) {
      watch.edge.resumed(now)
      this.#watches.touch(now, watch.subject)
    }
  }

  /** Watches go on for subjects that stay, end for those that are gone, and start for new ones and those replaced. */
  advanced(now: Millis, isGone: (node: string) => boolean = () => false): void {
    const { node, membership, timing, random, votes } = this.#options
    const wanted = new Set(votes ? membership.ring.subjectsOf(node) : this.#contacts())
    for (const { subject } of [...this.#watches]) {
      if (!wanted.has(subject) || isGone(subject)) this.#watches.delete(subject)
    }
    for (const subject of wanted) {
      if (this.#watches.has(subject)) continue
      const life = { serial: membership.serialOf(subject) ?? 0, boot: 0, refutations: 0 }
      this.#watches.add(now, new Watch(subject, life, now, timing, random))
    }
  }

  /** There is a new leader or a new epoch: what was said to the old one counts no more. */
  sayAgain(now: Millis): void {
    for (const watch of this.#watches) {
      watch.sayAgain()
      this.#watches.touch(now, watch.subject)
    }
  }

  /** What the leader says of a subject that is under a verdict, or no more. */
  condemned(now: Millis, { subject, standing, latest, recoverBeats, heard }: DownNotice): void {
    const untilMs = standing ? now + this.#options.timing.downNoticeTtlMs : now
    this.tell(now, subject, (watch) => {
      watch.condemned(now, untilMs, recoverBeats)
      watch.lives(now, latest)
      if (heard) watch.edge.dialSoon(now)
    })
  }

  opened(now: Millis, peer: string, by: 'me' | 'them', incarnation: Incarnation): readonly Effect[] {
    return this.#watched(now, peer, (watch) => {
      watch.lives(now, incarnation)
      if (by === 'me') return watch.opened(now)
      // It reached us, so it lives: no need to wait for our own next dial.
      watch.edge.dialSoon(now)
      return []
    })
  }

  closed(now: Millis, peer: string): readonly Effect[] {
    return this.#watched(now, peer, (watch) => watch.closed(now))
  }

  acked(now: Now, peer: string, seq: number, wallMs: number, incarnation: Incarnation): readonly Effect[] {
    return this.#watched(now.ms, peer, (watch) => {
      watch.lives(now.ms, incarnation)
      return watch.acked(now, seq, wallMs)
    })
  }

  /** Does something with the watch of a subject, if there is one. */
  about(now: Millis, subject: string, run: (watch: Watch) => readonly WatchEffect[]): readonly Effect[] {
    return this.#watched(now, subject, run)
  }

  /** Tells the watch of a subject something from which nothing follows at once. */
  tell(now: Millis, subject: string, run: (watch: Watch) => void): void {
    const watch = this.#watches.get(subject)
    if (watch === undefined) return
    run(watch)
    this.#watches.touch(now, subject)
  }

  hinted(now: Millis, from: string, message: Hint | IndirectAck): readonly Effect[] {
    const outcome = this.#hints.receive(now, message, this.#options.links)
    switch (outcome.kind) {
      case 'forward':
        return [outcome.effect]
      case 'arrived':
        return this.about(now, message.subject, (watch) => {
          if (message.kind === 'hint') return watch.hintedBy(now, message.from)
          watch.heardByOther(now - message.ageMs)
          return []
        })
      case 'known':
        return []
      case 'dropped':
        return [{ kind: 'dropped', why: 'hint', from }]
    }
  }

  /** An aggregator stays with the contacts that it has, as far as they are still members. */
  #contacts(): readonly string[] {
    const { membership, random } = this.#options
    const kept = [...this.#watches].map(({ subject }) => subject)
    return contactsOf(
      membership.roster.members,
      kept.filter((node) => membership.positionOf(node) !== undefined),
      random,
    )
  }

  #examineMyself(now: Millis): void {
    let subjects = 0
    let alone = 0
    for (const watch of this.#watches) {
      subjects++
      if (watch.isAloneWithItsDoubt(now)) alone++
      if (watch.hasNobodyElse) this.health.hurt('control connect failed')
    }
    this.health.standsAlone(alone, subjects)
    this.health.tick(now)
  }

  /** Runs something on a watch, if there is one, and turns what it wants into effects. */
  #watched(now: Millis, subject: string, run: (watch: Watch) => readonly WatchEffect[]): readonly Effect[] {
    const watch = this.#watches.get(subject)
    if (watch === undefined) return []
    const wanted = run(watch)
    this.#watches.touch(now, subject)
    return wanted.length === 0 ? [] : wanted.flatMap((effect) => this.#perform(now, subject, effect))
  }

  #perform(now: Millis, subject: string, effect: WatchEffect): readonly Effect[] {
    const { links, votes, accuse } = this.#options
    switch (effect.kind) {
      case 'probe':
        return [{ kind: 'send', to: subject, via: 'mine', message: { kind: 'probe', seq: effect.seq } }]
      case 'dial':
      case 'abort':
        return [{ kind: effect.kind, peer: subject }]
      case 'ask':
        return [{ kind: 'askHost', subject, controls: this.#controlPeers(now, subject) }]
      case 'hint': {
        const doubted = [...this.#watches].filter(({ edge }) => edge.doubtSince !== undefined)
        return votes ? this.#hints.about(subject, new Set(doubted.map((watch) => watch.subject)), links) : []
      }
      case 'indirect-ack':
        return this.#hints.answer(effect.to, subject, effect.ageMs, links)
      case 'accuse': {
        const isFit = this.health.degraded === undefined || effect.accusation.opinion === 'Alive'
        return votes && isFit ? accuse(now, effect.accusation) : []
      }
    }
  }

  /**
   * Other members that answered on their last beat: whoever can reach one of them is not the one cut off. Those that are
   * known to take connections come first; a machine whose connection table is full would make this node look cut off.
   * Where the subject is well it is only asked to keep its path known, and nothing hangs on it.
   */
  #controlPeers(now: Millis, subject: string): readonly string[] {
    if (this.#watches.get(subject)?.edge.doubtSince === undefined) return []
    const well = [...this.#watches].filter(({ subject: peer, edge }) => {
      return peer !== subject && edge.isOpen && edge.isHeard && edge.doubtSince === undefined
    })
    const known = well.filter((watch) => watch.isCalibrated(now))
    const others = well.filter((watch) => !watch.isCalibrated(now))
    return [...known, ...others].slice(0, CONTROLS).map((watch) => watch.subject)
  }
}
