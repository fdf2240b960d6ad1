/**
 * The leader's part: votes make a candidate, a candidate makes a roll-call, and only what a fresh roll-call answers makes
 * a verdict. The leader decides nothing on its own; its verdict is the certificate that anyone can count again.
 */
import { Ballots, silentFor } from './ballots.ts'
import { Brake } from './brake.ts'
import { zonesOfObservers } from './certificate.ts'
import { Conditions } from './conditions.ts'
import type { Effect, Notice } from './message.ts'
import type { Accusation, Incarnation, Keyring, Millis, Roster, SignedAnswer, Standing, VerdictKind } from './model.ts'
import { compareIncarnations } from './model.ts'
import { OpenRollCall } from './open-roll-call.ts'
import { floorOf, neededOf, type Tally, vetoOf } from './quorum.ts'
import type { Timing } from './timing.ts'

export interface LeaderOptions {
  readonly node: string
  /** Grows with every leader; a roll-call of an older term is not answered. */
  readonly term: number
  readonly roster: Roster
  /** Goes into certificates, so that they name the very roster they were counted on. */
  readonly rosterHash: string
  readonly keyring: Keyring
  readonly timing: Timing
  /** Unpredictable: it is what makes answers fresh. */
  nonce(): string
  /** Verdicts that stood when this leader started, from the record of commits. */
  readonly standing: readonly Standing[]
}

/** At most two roll-calls a second: what comes up meanwhile is batched into the next one. */
const ROLL_CALL_GAP_MS = 500

/** More are put off to the next: a question must fit one message, as must its answers. */
const SUBJECTS_PER_ROLL_CALL = 100

interface Candidate {
  readonly subject: string
  readonly kind: VerdictKind
  readonly incarnation: Incarnation
  readonly votes: number
}

export class Leader {
  readonly #options: LeaderOptions
  readonly #ballots: Ballots
  readonly #conditions: Conditions
  readonly #brake: Brake
  readonly #retryAt = new Map<string, Millis>()
  readonly #withheld = new Map<string, string>()
  readonly #lives = new Map<string, Incarnation>()
  #open: OpenRollCall | undefined
  #lastRollCallAt = Number.NEGATIVE_INFINITY

  constructor(options: LeaderOptions) {
    this.#options = options
    this.#ballots = new Ballots(options.timing.accusationTtlMs)
    this.#conditions = new Conditions(options.roster, this.#ballots, options.standing)
    this.#brake = new Brake(options.roster)
  }

  get ballots(): Ballots {
    return this.#ballots
  }

  get conditions(): Conditions {
    return this.#conditions
  }

  /** Why nobody is marked at present; undefined while the brake is open. */
  get frozen(): string | undefined {
    return this.#brake.frozen
  }

  /** A subject's latest life, from its own announcement. Accusations of an earlier one no longer count. */
  lives(subject: string, incarnation: Incarnation): void {
    const known = this.#lives.get(subject)
    if (known === undefined || compareIncarnations(incarnation, known) > 0) this.#lives.set(subject, incarnation)
  }

  accused(now: Millis, voter: string, accusation: Accusation): void {
    const known = this.#lives.get(accusation.subject)
    if (known !== undefined && compareIncarnations(accusation.incarnation, known) < 0) return
    this.#ballots.cast(now, voter, accusation)
  }

  answered(nonce: string, present: Uint8Array, answers: readonly SignedAnswer[]): readonly Effect[] {
    if (this.#open?.nonce !== nonce) return []
    const invalid = this.#open.answered(present, answers, this.#options.keyring)
    return invalid.map((from) => ({ kind: 'dropped', why: 'answer', from }))
  }

  /** Re-reads everything. `peers` are the nodes a roll-call can be sent to. */
  tick(now: Millis, peers: readonly string[]): readonly Effect[] {
    this.#ballots.expire(now)
    for (const subject of this.#withheld.keys()) {
      if (!this.#conditions.suspected.has(subject)) this.#forget(subject)
    }
    const notices = this.#conditions.update().map((notice): Effect => ({ kind: 'notice', notice }))
    const braked = this.#open === undefined ? this.#applyBrake(now, []) : []
    return [...notices, ...braked, ...this.#closeRollCall(now), ...this.#openRollCall(now, peers)]
  }

  nextAt(now: Millis): Millis {
    const times = [this.#ballots.nextAt(now), this.#brake.nextAt(now), ...this.#retryAt.values()]
    if (this.#open !== undefined) times.push(this.#open.closesAt)
    if (this.#ballots.subjects().length > 0) times.push(this.#lastRollCallAt + ROLL_CALL_GAP_MS)
    for (const subject of this.#conditions.suspected) {
      for (const ballot of this.#ballots.about(subject, 'HostHung', 'NodeDown')) {
        times.push(now + this.#options.timing.hostHungMs - silentFor(ballot, now))
      }
    }
    return Math.min(...times.filter((time) => time > now))
  }

  /** When the slow path can decide about this subject at the earliest; undefined when it is not on the slow path. */
  hostHungInMs(now: Millis, subject: string): Millis | undefined {
    if (this.#conditions.standing.has(subject)) return undefined
    const ballots = this.#ballots.about(subject, 'HostHung', 'NodeDown')
    if (ballots.length < this.#conditions.neededFor(subject)) return undefined
    const shortest = Math.min(...ballots.map((ballot) => silentFor(ballot, now)))
    return Math.max(0, this.#options.timing.hostHungMs - shortest)
  }

  #candidates(now: Millis): readonly Candidate[] {
    const { timing } = this.#options
    const candidates: Candidate[] = []
    for (const subject of this.#conditions.suspected) {
      if (this.#conditions.standing.has(subject) || (this.#retryAt.get(subject) ?? 0) > now) continue
      const needed = this.#neededAmong(subject)
      const down = this.#ballots.aboutOneLife(subject, 'NodeDown')
      const silent = this.#ballots.aboutOneLife(subject, 'HostHung', 'NodeDown')
      const isHung = silent.every((ballot) => silentFor(ballot, now) >= timing.hostHungMs)
      const [kind, ballots] = down.length >= needed ? (['NodeDown', down] as const) : (['HostHung', silent] as const)
      const [first] = ballots
      if (first === undefined || ballots.length < needed || (kind === 'HostHung' && !isHung)) continue
      candidates.push({ subject, kind, incarnation: first.accusation.incarnation, votes: ballots.length })
    }
    return candidates.slice(0, SUBJECTS_PER_ROLL_CALL)
  }

  /** As neededFor, but observers that are suspected themselves by enough others are excused: a rack dies as one. */
  #neededAmong(subject: string): number {
    const assigned = zonesOfObservers(this.#options.roster, subject)
    const eligible = [...assigned.keys()].filter((node) => !this.#conditions.standing.has(node))
    const suspects = eligible.filter(
      (node) =>
        this.#ballots.about(node, 'NodeDown').length >= floorOf(zonesOfObservers(this.#options.roster, node).size),
    )
    return neededOf(assigned.size, eligible.length - suspects.length)
  }

  #openRollCall(now: Millis, peers: readonly string[]): readonly Effect[] {
    if (this.#open !== undefined || this.#brake.allowance(now) === 0) return []
    if (now - this.#lastRollCallAt < ROLL_CALL_GAP_MS) return []
    const candidates = this.#candidates(now)
    if (candidates.length === 0) return []
    const { node: leader, roster, term, keyring, timing } = this.#options
    const subjects = candidates.map(({ subject: node, incarnation }) => ({ node, incarnation }))
    const rollCall = { leader, epoch: roster.epoch, term, nonce: this.#options.nonce(), subjects }
    const call = { rollCall, signature: keyring.sign('roll-call', rollCall) }
    const kinds = new Map(candidates.map(({ subject, kind }) => [subject, kind]))
    this.#lastRollCallAt = now
    this.#open = new OpenRollCall(call, kinds, roster, now + timing.rollCallMs)
    const notices: Notice[] = candidates.map(({ subject, kind: verdict, votes }) => {
      return { kind: 'candidate', subject, verdict, votes }
    })
    const asked = candidates.map(({ subject }) => subject)
    notices.push({ kind: 'rollCall', nonce: rollCall.nonce, subjects: asked, live: this.#live().length })
    return [
      ...notices.map((notice): Effect => ({ kind: 'notice', notice })),
      ...peers.map((to): Effect => ({ kind: 'send', to, via: 'any', message: { kind: 'roll-call', call } })),
    ]
  }

  #closeRollCall(now: Millis): readonly Effect[] {
    const open = this.#open
    if (open === undefined) return []
    const { rosterHash, timing, keyring } = this.#options
    const live = this.#live()
    // Whoever is silent already, or has no agent, is not waited for.
    const silent = new Set([...this.#conditions.suspected, ...this.#conditions.agentDown])
    if (now < open.closesAt && !open.isComplete(live, silent)) return []
    this.#open = undefined
    const absent = live.filter((node) => !open.isPresent(node))
    const present = live.length - absent.length
    const braked = this.#applyBrake(now, absent)
    const { tallies, excused } = open.count(new Set(this.#conditions.standing.keys()), timing.hostHungMs)
    const against = this.#whyNobody(present, live.length)
    const carried = [...tallies].filter(([, counted]) => against === undefined && counted.kind === 'carried')
    const convicted = carried.slice(0, this.#brake.allowance(now)).map(([subject]) => subject)
    for (const subject of convicted) this.#convict(now, open.verdictOn(subject))
    const figures = { rosterHash, present, live: live.length }
    const commits = convicted.map((subject): Effect => {
      return {
        kind: 'commit',
        certificate: open.certificate(subject, excused, this.#conditions.standing, figures, keyring),
      }
    })
    const rest = [...tallies].filter(([subject]) => !convicted.includes(subject))
    const withheld = rest.flatMap(([subject, counted]) =>
      this.#withhold(now, subject, open.kindOf(subject), against ?? whyNot(counted)),
    )
    return [...braked, ...commits, ...withheld]
  }

  /** What stands against every verdict of this moment, whatever the answers. */
  #whyNobody(present: number, live: number): string | undefined {
    if (this.#brake.frozen !== undefined) return `frozen: ${this.#brake.frozen}`
    if (present * 2 > live) return undefined
    return `only ${present} of ${live} live members answered: this side may be the one cut off`
  }

  /** `absent`: members that a roll-call just did not reach. */
  #applyBrake(now: Millis, absent: readonly string[]): readonly Effect[] {
    const few = (subject: string) => vetoOf(zonesOfObservers(this.#options.roster, subject).size)
    const silent = [...this.#conditions.suspected].filter(
      (subject) => this.#ballots.about(subject, 'NodeDown', 'HostHung').length >= few(subject),
    )
    const change = this.#brake.update(now, new Set([...absent, ...silent, ...this.#conditions.standing.keys()]))
    return change === undefined ? [] : [{ kind: 'notice', notice: { kind: 'brake', change } }]
  }

  #forget(subject: string): void {
    this.#withheld.delete(subject)
    this.#retryAt.delete(subject)
  }

  #withhold(now: Millis, subject: string, verdict: VerdictKind, why: string): readonly Effect[] {
    this.#retryAt.set(subject, now + this.#options.timing.rollCallRetryMs)
    if (this.#withheld.get(subject) === why) return []
    this.#withheld.set(subject, why)
    return [{ kind: 'notice', notice: { kind: 'withheld', subject, verdict, why } }]
  }

  #convict(now: Millis, verdict: Standing): void {
    this.#forget(verdict.subject)
    this.#brake.convicted(now)
    this.#conditions.convict(verdict)
  }

  /** Members without a standing verdict. */
  #live(): readonly string[] {
    return this.#options.roster.members.map(({ node }) => node).filter((node) => !this.#conditions.standing.has(node))
  }
}

function whyNot(counted: Tally): string {
  return counted.kind === 'carried' ? 'put off: only so many verdicts a minute after a freeze' : counted.why
}
