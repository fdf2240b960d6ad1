/**
 * The mesh protocol of one node, as one pure state machine: `step(now, input)` gives what to do, and `nextTickAt` when to
 * call again. No clock, no timer, no randomness of its own, no I/O: the agent runs it on sockets, the simulator on virtual
 * time, and both run this code. A peer's input never makes it throw.
 */
import { Announcements } from './announcements.ts'
import { AntiEntropy } from './anti-entropy.ts'
import type { CoreOptions } from './core-options.ts'
import { Dissemination } from './dissemination.ts'
import { DocumentExchange } from './document-exchange.ts'
import { hasEnded } from './down-list.ts'
import { Gossip, type Heard } from './gossip.ts'
import type { Leader } from './leader.ts'
import { Links } from './links.ts'
import { Membership } from './membership.ts'
import type { Effect, Input, Message } from './message.ts'
import type { Roster, SignedRollCall, SignedStatement } from './model.ts'
import { compareIncarnations, type DownNotice, type Incarnation, LEAVE_MS_MAX, type Millis, type Now } from './model.ts'
import { isNear, wentTooFar } from './near.ts'
import { Observer } from './observer.ts'
import { Office, type OfficeInput } from './office.ts'
import { type Following, RollCallDesk } from './roll-call.ts'
import { RosterExchange } from './roster-exchange.ts'
import { checkTiming, type Timing } from './timing.ts'

/** Later than now, by less than any timer can tell. */
const AFTER_MS = 0.001

export class Core {
  readonly #options: CoreOptions
  readonly #timing: Timing
  readonly #membership: Membership
  readonly #links = new Links()
  readonly #gossip: Gossip
  readonly #dissemination: Dissemination
  readonly #desk: RollCallDesk
  readonly #observer: Observer
  readonly #rosters: RosterExchange
  readonly #documents = new DocumentExchange()
  #incarnation: Incarnation
  #nextTickAt: Millis
  readonly #announcements: Announcements
  readonly #antiEntropy: AntiEntropy
  /** An aggregator's. */
  readonly #office: Office | undefined

  constructor(now: Now, options: CoreOptions) {
    checkTiming(options.timing)
    const { node, incarnation, roster, keyring, timing, random, aggregator } = options
    this.#options = options
    this.#timing = timing
    this.#membership = new Membership(roster)
    this.#incarnation = incarnation
    this.#nextTickAt = now.ms
    this.#announcements = new Announcements(aggregator === undefined ? now.ms : undefined, timing.announcementTtlMs)
    this.#antiEntropy = new AntiEntropy(now.ms, timing.digestEveryMs, random)
    this.#rosters = new RosterExchange(roster.epoch, options.rosterBytes)
    this.#gossip = new Gossip({ node, ...incarnation }, keyring, this.#membership)
    this.#dissemination = new Dissemination(this.#gossip, this.#membership, this.#links, () => this.#desk.uplinks)
    this.#observer = new Observer(now.ms, {
      node,
      membership: this.#membership,
      links: this.#links,
      timing,
      random,
      votes: aggregator === undefined,
      accuse: (at, accusation) => {
        const { epoch } = this.#membership.roster
        const body = { kind: 'accusation', epoch, term: this.#desk.term, ...accusation } as const
        return this.#dissemination.say(at, body, timing.accusationTtlMs)
      },
    })
    const voter = {
      node,
      serial: incarnation.serial,
      observes: (subject: string) => this.#observer.votesOn(subject),
      answer: (at: Millis, subject: string) => this.#observer.answer(at, subject),
      isDegraded: () => this.#observer.health.degraded !== undefined,
    }
    this.#desk = new RollCallDesk(voter, this.#membership, keyring, timing)
    if (aggregator === undefined) return
    for (const signed of aggregator.saidBefore) this.#gossip.receive(now.ms, { signed, ageMs: 0 })
    const heard = this.#gossip
    this.#office = new Office({ node, membership: this.#membership, keyring, timing, heard, ...aggregator })
  }

  /** While this node leads. */
  get leader(): Leader | undefined {
    return this.#office?.leader
  }

  /** Whose roll-calls this member answers; undefined before the first, and for an aggregator. */
  get follows(): Following | undefined {
    return this.#desk.follows
  }

  /** When `step` wants its next tick, monotonic. A tick that comes 500 ms later than this means a pause. */
  get nextTickAt(): Millis {
    return this.#nextTickAt
  }

  get incarnation(): Incarnation {
    return this.#incarnation
  }

  get roster(): Roster {
    return this.#membership.roster
  }

  /** This node's view of the subjects that it watches, and of itself. */
  get observer(): Pick<Observer, 'peerClocks' | 'peerLinks' | 'votes' | 'convictable' | 'degraded'> {
    return this.#observer
  }

  /** Peers with an edge to this node, of which something was heard at `since` or later. */
  heardSince(since: Millis): readonly string[] {
    return this.#links.heardSince(since)
  }

  step(now: Now, input: Input): readonly Effect[] {
    const lateMs = now.ms - this.#nextTickAt
    // Whatever comes first after a pause: the views from before it are not to be answered from.
    if (lateMs >= this.#timing.pauseMs) {
      this.#observer.resumed(now.ms)
      this.#nextTickAt = now.ms
    }
    if (input.kind === 'tick') this.#observer.health.late(lateMs)
    const handled = this.#handle(now, input)
    const answered = this.#desk.tick(now.ms)
    const led = this.#office === undefined ? [] : this.#run(now.ms, this.#office)
    // A tick has done what was due by now; any other input may have made something due this very moment.
    const from = input.kind === 'tick' ? now.ms + AFTER_MS : now.ms
    if (input.kind === 'tick' || now.ms < this.#nextTickAt) this.#nextTickAt = this.#soonest(from)
    if (answered.length === 0 && led.length === 0) return handled
    return [...handled, ...answered, ...led]
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
        this.#links.heard(input.from, now.ms)
        return this.#message(now, input.from, input.message)
      case 'hostAnswer':
        return this.#perform(
          now.ms,
          this.#observer.about(now.ms, input.subject, (watch) => watch.heardHost(now.ms, input.answer)),
        )
      case 'hostAccepted':
        this.#observer.tell(now.ms, input.subject, (watch) => watch.hostAccepted(now.ms))
        return []
      case 'publish':
        return this.#dissemination.say(now.ms, { kind: 'note', topic: input.topic, bytes: input.bytes }, input.ttlMs)
      case 'leave': {
        // Those who watch this node must know, and the leader; so it goes to all who have an edge with it, and up.
        const forMs = Math.min(input.forMs, LEAVE_MS_MAX)
        return this.#dissemination.sayAround(now.ms, { ...input, incarnation: this.#incarnation, forMs }, forMs)
      }
      case 'roster':
        return this.#advance(now.ms, input.roster, input.hash, input.bytes)
      case 'documents':
        return this.#documents.take(input.holds, input.seeks)
      default:
        return this.#office === undefined ? [] : this.#inOffice(now.ms, this.#office, input)
    }
  }

  #inOffice(now: Millis, office: Office, input: OfficeInput): readonly Effect[] {
    // Members on a later roster drop a canvass, and where nobody leads there is no roll-call to learn of that from.
    const sought = input.kind === 'canvass' ? this.#rosters.seek(this.#links.any(this.#options.random)) : []
    return [...sought, ...office.take(now, input, this.#links.peers)]
  }

  #tick(now: Millis): readonly Effect[] {
    const fetching = this.#documents.tick(now, this.#links, this.#options.random)
    const observed = this.#perform(now, this.#observer.tick(now))
    const announced = now >= this.#announcements.dueAt ? this.#announce(now) : []
    const compared = this.#antiEntropy.tick(now, this.#links, this.#dissemination)
    return [...observed, ...fetching, ...announced, ...compared]
  }

  #announce(now: Millis): readonly Effect[] {
    this.#announcements.said(now)
    const body = { kind: 'announcement', incarnation: this.#incarnation } as const
    return this.#dissemination.say(now, body, this.#timing.announcementTtlMs)
  }

  /** A later roster: watches go on for subjects that stay, and start for new ones. */
  #advance(now: Millis, roster: Roster, hash: string, bytes: Uint8Array): readonly Effect[] {
    if (roster.epoch <= this.#membership.roster.epoch) return []
    const isGone = this.#membership.advance(roster)
    const held = this.#rosters.advanced(roster.epoch, bytes)
    this.#office?.advanced(hash)
    this.#desk.advanced()
    const cut = this.#links.peers.filter(isGone).map((peer): Effect => {
      this.#links.cut(peer)
      return { kind: 'abort', peer }
    })
    this.#observer.advanced(now, isGone)
    this.#observer.sayAgain(now)
    return [...cut, ...held.flatMap(({ from, call }) => this.#receiveRollCall(now, from, call))]
  }

  #opened(now: Millis, peer: string, by: 'me' | 'them', incarnation: Incarnation): readonly Effect[] {
    this.#links.opened(peer, by)
    this.leader?.lives(peer, incarnation)
    const effects = this.#observer.opened(now, peer, by, incarnation)
    return [...this.#perform(now, effects), ...this.#dissemination.opened(now, peer)]
  }

  #closed(now: Millis, peer: string, by: 'me' | 'them'): readonly Effect[] {
    this.#links.closed(peer, by)
    const closed = by === 'me' ? this.#perform(now, this.#observer.closed(now, peer)) : []
    return [...closed, ...this.#lostLink(now, peer)]
  }

  /** What went up by this peer lately goes up by another. */
  #lostLink(now: Millis, peer: string): readonly Effect[] {
    if (this.#links.has(peer) || !this.#desk.uplinks.includes(peer)) return []
    return this.#dissemination.lost(now)
  }

  #message(now: Now, from: string, message: Message): readonly Effect[] {
    switch (message.kind) {
      case 'probe': {
        const ack: Message = { kind: 'ack', seq: message.seq, wallMs: now.wallMs, incarnation: this.#incarnation }
        return [{ kind: 'send', to: from, via: 'theirs', message: ack }]
      }
      case 'ack':
        return this.#observer.acked(now, from, message.seq, message.wallMs, message.incarnation)
      case 'hint':
      case 'indirect-ack':
        return this.#perform(now.ms, this.#observer.hinted(now.ms, from, message))
      case 'gossip':
        return message.items.flatMap((item) => this.#hear(now.ms, from, item))
      case 'digest':
        return this.#dissemination.answer(now.ms, from, message)
      case 'roll-call':
        return this.#receiveRollCall(now.ms, from, message.call)
      case 'answers':
        if (this.#office !== undefined) return this.#office.answered(message)
        this.#desk.relay(now.ms, message)
        return []
      case 'want-roster':
        return this.#rosters.wanted(from, message.epoch)
      case 'roster':
        return this.#rosters.offered(from, message.epoch, message.bytes)
      case 'want-document':
        return this.#documents.wanted(now.ms, from, message.hash)
      case 'document':
        return this.#documents.offered(from, message.hash, message.bytes)
    }
  }

  #receiveRollCall(now: Millis, from: string, call: SignedRollCall): readonly Effect[] {
    const { epoch, subjects } = call.rollCall
    const held = epoch > this.#membership.roster.epoch ? this.#rosters.hold(from, call) : undefined
    // An aggregator answers no other, but what roster that one is on matters to both.
    if (this.#office !== undefined) return [...(held ?? []), ...this.#office.called(from, call)]
    if (held !== undefined) return held
    const { leader, uplinks } = this.#desk
    const passedOn = this.#desk.receive(now, from, call, this.#links)
    const isNewLeader = this.#desk.leader !== leader
    if (isNewLeader) this.#observer.sayAgain(now)
    const findsWay = this.#desk.uplinks !== uplinks && uplinks.every((peer) => !this.#links.has(peer))
    const said = isNewLeader || findsWay ? this.#dissemination.sayAgain(now) : []
    const looked = subjects.flatMap(({ node, incarnation }) => {
      return this.#observer.about(now, node, (watch) => watch.asked(now, incarnation))
    })
    return [...passedOn, ...said, ...this.#perform(now, looked)]
  }

  #hear(now: Millis, from: string, item: Heard): readonly Effect[] {
    if (wentTooFar(item.signed, from)) return []
    const reception = this.#gossip.receive(now, item)
    if (reception.kind === 'known') return []
    if (reception.kind === 'refused') return [{ kind: 'dropped', why: reception.why, from }]
    const { signed } = item
    const { signer, body } = signed.statement
    const isForMe = this.leader !== undefined || this.#membership.isAggregator(signer) || isNear(body)
    const heard: readonly Effect[] = isForMe ? [{ kind: 'heard', signed }] : []
    return [...heard, ...this.#dissemination.pass(item, from), ...this.#takeIn(now, signed, item.ageMs)]
  }

  #takeIn(now: Millis, { statement: { signer, body } }: SignedStatement, ageMs: Millis): readonly Effect[] {
    switch (body.kind) {
      case 'accusation':
        this.leader?.accused(now - ageMs, signer, body)
        return []
      case 'announcement':
        this.leader?.lives(signer, body.incarnation)
        this.#observer.tell(now, signer, (watch) => watch.lives(now, body.incarnation))
        return []
      case 'leave':
        this.leader?.left(now - ageMs, signer, body)
        this.#observer.tell(now, signer, (watch) => watch.leaves(body.incarnation, now - ageMs + body.forMs))
        return []
      case 'down':
        return this.#heardDown(now, body)
      case 'note':
        return []
    }
  }

  #heardDown(now: Millis, notice: DownNotice): readonly Effect[] {
    if (notice.subject === this.#options.node) {
      if (!notice.standing || compareIncarnations(notice.incarnation, this.#incarnation) < 0) return []
      this.#incarnation = { ...this.#incarnation, refutations: notice.incarnation.refutations + 1 }
      this.#announcements.renewed()
      return this.#announce(now)
    }
    // An earlier leader's word of it may arrive after the later one's that it is over.
    if (!notice.standing || !hasEnded(this.#gossip.downNotices(now), notice)) this.#observer.condemned(now, notice)
    return []
  }

  /** What the observer wants, with what follows for the edges that it gives up. */
  #perform(now: Millis, effects: readonly Effect[]): readonly Effect[] {
    if (!effects.some(({ kind }) => kind === 'abort')) return effects
    return effects.flatMap((effect) => {
      if (effect.kind !== 'abort') return [effect]
      this.#links.cut(effect.peer)
      return [effect, ...this.#lostLink(now, effect.peer)]
    })
  }

  #run(now: Millis, office: Office): readonly Effect[] {
    const { effects, notices } = office.tick(now, this.#links.peers)
    for (const notice of notices) this.#observer.condemned(now, notice)
    const said = notices.flatMap((notice) => this.#dissemination.say(now, notice, this.#timing.downNoticeTtlMs))
    return [...effects, ...said]
  }

  /** The earliest time from `from` on at which there is something to do. */
  #soonest(from: Millis): Millis {
    const others = Math.min(
      this.#announcements.dueAt,
      this.#antiEntropy.dueAt,
      this.#observer.nextAt,
      this.#documents.nextAt,
    )
    const votes = Math.min(this.#desk.nextAt(from), this.#office?.nextAt(from) ?? Number.POSITIVE_INFINITY)
    return Math.max(from, Math.min(others, votes))
  }
}
