/**
 * The leader's part: votes make a candidate, a candidate makes a roll-call, and only what a fresh roll-call answers makes
 * a verdict. The leader decides nothing on its own; its verdict is the certificate that anyone can count again.
 */
import { Ballots } from './ballots.ts'
import type { Blindness } from './blindness.ts'
import { type Candidate, type CandidateRules, candidatesAmong, hostHungInMs, neededToConvict } from './candidates.ts'
import { hungMsBy, verdictIdOf } from './certificate.ts'
import { Conditions } from './conditions.ts'
import { Conviction } from './conviction.ts'
import { Deferrals } from './deferrals.ts'
import type { Disputes } from './disputes.ts'
import { Flaps } from './flaps.ts'
import { Gathering } from './gathering.ts'
import { Judge } from './judge.ts'
import { Leaves } from './leaves.ts'
import { Lives } from './lives.ts'
import type { Membership } from './membership.ts'
import type { Effect, Message, Notice } from './message.ts'
import type { Accusation, Incarnation, Keyring, Leave, Millis, Standing } from './model.ts'
import { compareIncarnations } from './model.ts'
import { OpenRollCall } from './open-roll-call.ts'
import type { Timing } from './timing.ts'

export interface LeaderOptions {
  readonly node: string
  readonly term: number
  readonly membership: Membership
  readonly keyring: Keyring
  readonly timing: Timing
  /** Verdicts that stand when this leader begins. */
  readonly standing: readonly Standing[]
  /** As in CoreOptions. */
  readonly rosterHash: string
  readonly heartbeats: boolean
  nonce(): string
}

/** At most two roll-calls a second: what comes up meanwhile is batched into the next one. */
const ROLL_CALL_GAP_MS = 500

export class Leader {
  readonly #options: LeaderOptions
  readonly ballots: Ballots
  readonly conditions: Conditions
  readonly #judge: Judge
  readonly #flaps: Flaps
  readonly #leaves = new Leaves()
  readonly #deferrals: Deferrals
  readonly #gathering = new Gathering()
  readonly #lives = new Lives()
  #rosterHash: string
  #open: OpenRollCall | undefined
  #conviction: Conviction | undefined
  #lastRollCallAt = Number.NEGATIVE_INFINITY
  #idleRollCallAt: Millis
  /** Absent members to ask about with the next candidates. */
  #unexplained: readonly string[] = []
  readonly #notices: Notice[] = []
  #isStirred = true
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(now: Millis, options: LeaderOptions) {
    const { membership, timing, standing } = options
    this.#options = options
    this.#rosterHash = options.rosterHash
    this.#idleRollCallAt = now
    this.ballots = new Ballots(timing.accusationTtlMs)
    this.conditions = new Conditions(membership, this.ballots, standing)
    this.#judge = new Judge(membership, this.conditions, this.ballots)
    this.#deferrals = new Deferrals(timing.rollCallRetryMs)
    this.#flaps = new Flaps(timing.recoverBeats)
  }

  get disputes(): Disputes {
    return this.#judge.disputes
  }

  get blindness(): Blindness {
    return this.#judge.blindness
  }

  /** Why nobody is marked at present; undefined while the brake is open. */
  get frozen(): string | undefined {
    return this.#judge.brake.frozen
  }

  /** False once three roll-calls in a row reached no more than half of the live members: then it must not lead. */
  get hasQuorum(): boolean {
    return this.#judge.reach.isReached
  }

  /** Whether it said that it stops for a while, and is not back. */
  hasLeft(node: string): boolean {
    return this.#leaves.has(node)
  }

  recoverBeats(now: Millis, subject: string): number {
    return this.#flaps.recoverBeats(now, subject)
  }

  /** An operator ends a freeze. False when there is none. */
  release(now: Millis, why: string): boolean {
    const change = this.#judge.brake.release(now, why)
    if (change !== undefined) this.#tell({ kind: 'brake', change })
    return change !== undefined
  }

  /** A later roster is in force. */
  advanced(rosterHash: string): void {
    const { membership } = this.#options
    this.#rosterHash = rosterHash
    // What was asked or counted on the roster before it proves nothing on this one.
    this.#open = undefined
    this.#conviction = undefined
    const isMember = (node: string) => membership.positionOf(node) !== undefined
    for (const kept of [this.#judge.disputes, this.#flaps, this.#leaves, this.#lives]) kept.retain(isMember)
    this.#tell(...this.conditions.retain(isMember))
  }

  /** A subject's latest life, from its own announcement. Accusations of an earlier one no longer count. */
  lives(subject: string, incarnation: Incarnation): void {
    if (!this.#lives.heard(subject, incarnation)) return
    this.#tell(...this.#leaves.returned(subject, incarnation))
    const verdict = this.conditions.standing.get(subject)
    if (verdict !== undefined) this.#tell({ kind: 'announced', verdict, incarnation })
  }

  /** The latest life of a subject that was heard of. */
  lifeOf(subject: string): Incarnation {
    return this.#lives.of(subject)
  }

  left(now: Millis, subject: string, leave: Leave): void {
    this.#tell(...this.#leaves.left(now, subject, leave, this.lifeOf(subject)))
  }

  /** `saidAt`: by this node's clock, as far as the way it took tells. */
  accused(saidAt: Millis, voter: string, accusation: Accusation): void {
    if (compareIncarnations(accusation.incarnation, this.#lives.of(accusation.subject)) < 0) return
    if (accusation.term !== this.#options.term) return
    this.ballots.cast(saidAt, voter, accusation)
    this.#isStirred = true
  }

  answered(message: Extract<Message, { kind: 'answers' }>): readonly Effect[] {
    if (this.#open?.nonce !== message.nonce) return []
    this.#isStirred = true
    const invalid = this.#open.answered(message, this.#options.keyring)
    return invalid.map((from) => ({ kind: 'dropped', why: 'answer', from }))
  }

  /** Whether the subject's kubelet has renewed its Lease since it fell silent; undefined: that is not known. */
  heartbeat(subject: string, renewed: boolean | undefined): void {
    this.#isStirred = true
    const reading = renewed === undefined ? 'unread' : renewed ? 'renewed' : 'stale'
    this.#conviction?.read(subject, reading)
    const verdict = this.conditions.standing.get(subject)
    if (verdict === undefined || verdict.kind === 'Isolated' || reading !== 'renewed') return
    const isolated: Standing = { ...verdict, kind: 'Isolated' }
    this.conditions.convict(isolated)
    this.#tell({ kind: 'isolated', verdict: isolated })
  }

  /** Re-reads everything, if there is anything new. `peers` are the nodes a roll-call can be sent to. */
  tick(now: Millis, peers: readonly string[]): readonly Effect[] {
    if (!this.#isStirred && now < this.#nextAt) return []
    this.ballots.expire(now)
    this.#tell(...this.#leaves.expire(now), ...this.#judge.disputes.expire(now))
    for (const notice of this.conditions.update()) this.#took(now, notice)
    this.#tell(...this.#judge.applyBrake(now, []))
    const commits = [...this.#closeRollCall(now), ...this.#commit(now)]
    const asked = this.#callTheRoll(now, peers)
    const notices = this.#notices.splice(0).map((notice): Effect => ({ kind: 'notice', notice }))
    this.#isStirred = false
    this.#nextAt = this.#soonest(now)
    return [...notices, ...commits, ...asked]
  }

  nextAt(now: Millis): Millis {
    return this.#isStirred ? now : this.#nextAt
  }

  /** When the slow path can decide about this subject at the earliest; undefined when it is not on the slow path. */
  hostHungInMs(now: Millis, subject: string): Millis | undefined {
    return hostHungInMs(subject, now, this.#rules)
  }

  /** H for this subject; Infinity where its observers are too few for a verdict. */
  neededFor(subject: string): number {
    return neededToConvict(subject, this.#rules)
  }

  #tell(...notices: readonly Notice[]): void {
    this.#notices.push(...notices)
    this.#isStirred = true
  }

  #took(now: Millis, notice: Notice): void {
    this.#tell(notice)
    if (notice.kind === 'unsuspected') this.#forget(notice.subject)
    if (notice.kind === 'recovered') this.#forget(notice.verdict.subject)
    const subject = this.#lives.backAsItWas(notice)
    if (subject !== undefined) this.#tell(...this.#judge.disputes.cameBackAsItWas(now, subject))
  }

  #soonest(now: Millis): Millis {
    const times = [
      this.ballots.nextAt(now),
      this.#judge.brake.nextAt(now),
      this.#leaves.nextAt(now),
      this.#judge.disputes.nextAt(now),
      this.#idleRollCallAt,
      this.#deferrals.nextAt(now),
      this.#gathering.endsAt,
    ]
    if (this.#open !== undefined) times.push(this.#open.closesAt)
    if (this.#conviction?.readUntil !== undefined) times.push(this.#conviction.readUntil)
    if (this.conditions.suspected.size > 0) times.push(this.#lastRollCallAt + ROLL_CALL_GAP_MS)
    times.push(
      ...[...this.conditions.suspected].map((subject) => this.ballots.silentForAt(now, subject, this.#rules.hungMs)),
    )
    return times.reduce((next, time) => (time > now && time < next ? time : next), Number.POSITIVE_INFINITY)
  }

  get #rules(): CandidateRules {
    const { membership, heartbeats, timing } = this.#options
    const hungMs = hungMsBy(heartbeats ? 'stale' : 'unread', timing)
    const { ballots, conditions } = this
    return { ballots, conditions, deferrals: this.#deferrals, membership, hungMs, heartbeats }
  }

  #candidates(now: Millis): readonly Candidate[] {
    return candidatesAmong([...this.conditions.suspected], now, this.#rules)
  }

  #callTheRoll(now: Millis, peers: readonly string[]): readonly Effect[] {
    if (this.#open?.hasCandidates === true || this.#conviction !== undefined) return []
    const mayAsk = this.#judge.brake.allowance(now) > 0 && now - this.#lastRollCallAt >= ROLL_CALL_GAP_MS
    const ripe = mayAsk ? this.#candidates(now) : []
    const candidates = this.#gathering.gather(now, ripe, this.#judge.company.comingUp(now))
    if (candidates.length > 0) return this.#ask(now, peers, candidates, this.#unexplained)
    if (this.#open !== undefined || now < this.#idleRollCallAt) return []
    return this.#ask(now, peers, [], this.#judge.disputes.toAsk(this.conditions.undecided))
  }

  /** Asks the mesh about candidates and, without convicting them, about others. */
  #ask(
    now: Millis,
    peers: readonly string[],
    candidates: readonly Candidate[],
    others: readonly string[],
  ): readonly Effect[] {
    const { node: leader, membership, term, keyring, timing } = this.#options
    const kinds = new Map(candidates.map(({ subject, kind }) => [subject, kind]))
    const rest = others.filter((node) => !kinds.has(node))
    const subjects = [
      ...candidates.map(({ subject: node, incarnation }) => ({ node, incarnation })),
      ...rest.map((node) => ({ node, incarnation: this.lifeOf(node) })),
    ]
    const rollCall = { leader, epoch: membership.roster.epoch, term, nonce: this.#options.nonce(), subjects }
    const call = { rollCall, signature: keyring.sign('roll-call', rollCall) }
    const isAtFault = (observer: string) => this.#judge.disputes.hasObserverFault(observer)
    this.#unexplained = []
    this.#idleRollCallAt = now + timing.rollCallEveryMs
    if (candidates.length > 0) this.#lastRollCallAt = now
    this.#open = new OpenRollCall(call, kinds, membership, isAtFault, now + timing.rollCallMs)
    for (const { subject, kind, votes } of candidates) this.#tell({ kind: 'candidate', subject, verdict: kind, votes })
    const asked = candidates.map(({ subject }) => subject)
    const { nonce } = rollCall
    if (asked.length > 0) this.#tell({ kind: 'rollCall', nonce, subjects: asked, live: this.#live().length })
    const message: Message = { kind: 'roll-call', call }
    return peers.map((to): Effect => ({ kind: 'send', to, via: 'any', message }))
  }

  #closeRollCall(now: Millis): readonly Effect[] {
    const open = this.#open
    if (open === undefined) return []
    const live = this.#live()
    // Whoever is silent to more than a stray observer, or has no agent, is not waited for.
    const silent = new Set([...this.#judge.inQuestion.silentToFew(), ...this.conditions.agentDown])
    if (now < open.closesAt && !open.isComplete(live, silent)) return []
    this.#open = undefined
    const judgement = this.#judge.close(now, open, live, this.#rules.hungMs)
    const { convicted, withheld, excused, present, first } = judgement
    this.#tell(...judgement.notices)
    const { term } = this.#options
    const reach: Effect = { kind: 'reach', term, present, live: live.length, holds: this.hasQuorum }
    if (first !== undefined) {
      this.#unexplained = first
      this.#lastRollCallAt = Number.NEGATIVE_INFINITY
      return [reach]
    }
    for (const [subject, why] of withheld) {
      this.#tell(...this.#deferrals.withhold(now, subject, open.kindOf(subject), why))
    }
    if (convicted.length === 0) return [reach]
    const records = [...excused].map((node) => [node, this.#recordOf(node, open)] as const)
    const figures = { rosterHash: this.#rosterHash, present, live: live.length }
    const { heartbeats, timing } = this.#options
    const readUntil = heartbeats ? now + timing.heartbeatReadMs : undefined
    const conviction = new Conviction({ open, subjects: convicted, excused: new Map(records), figures, readUntil })
    this.#conviction = conviction
    return [reach, ...conviction.toRead]
  }

  /** Convicts, once every Lease is read or the time for it is over. */
  #commit(now: Millis): readonly Effect[] {
    const conviction = this.#conviction
    if (conviction === undefined || !conviction.isDue(now)) return []
    this.#conviction = undefined
    return conviction.subjects.flatMap((subject): readonly Effect[] => {
      const outcome = conviction.outcome(subject, this.#options.keyring)
      if (outcome.kind === 'withheld') {
        this.#tell(...this.#deferrals.withhold(now, subject, outcome.verdict, outcome.why))
        return []
      }
      this.#convict(now, conviction.open.verdictOn(subject, outcome.verdict))
      return [{ kind: 'commit', certificate: outcome.certificate }]
    })
  }

  /** What excuses an observer: a verdict that stands, one of this same roll-call, or that its agent is known to be down. */
  #recordOf(observer: string, open: OpenRollCall): string {
    const verdict = this.conditions.standing.get(observer)
    if (verdict !== undefined) return verdict.verdictId
    return open.subjects.includes(observer) ? verdictIdOf(open.call, observer) : `AgentDown-${observer}`
  }

  #forget(subject: string): void {
    this.#judge.forget(subject)
    this.#deferrals.forget(subject)
  }

  #convict(now: Millis, verdict: Standing): void {
    this.#forget(verdict.subject)
    this.#judge.brake.convicted(now)
    this.#flaps.convicted(now, verdict.subject)
    this.conditions.convict(verdict)
  }

  /** Members without a standing verdict that have not left. */
  #live(): readonly string[] {
    return this.#options.membership.roster.members
      .map(({ node }) => node)
      .filter((node) => !this.conditions.standing.has(node) && !this.#leaves.has(node))
  }
}
