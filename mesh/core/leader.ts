/**
 * The leader's part: votes make a candidate, a candidate makes a roll-call, and only what a fresh roll-call answers makes
 * a verdict. The leader decides nothing on its own; its verdict is the certificate that anyone can count again.
 */
import { Ballots, silentFor } from './ballots.ts'
import { isAnswerTo, verdictIdOf, zonesOfObservers } from './certificate.ts'
import { Conditions } from './conditions.ts'
import type { Effect, Notice } from './message.ts'
import type {
  Accusation,
  Certificate,
  Incarnation,
  Keyring,
  Millis,
  RollCall,
  Roster,
  SignedAnswer,
  SignedRollCall,
  Standing,
  VerdictKind,
} from './model.ts'
import { compareIncarnations } from './model.ts'
import { emptyPresence, hasMember, mergePresence } from './presence.ts'
import { floorOf, neededOf, type Tally, tally } from './quorum.ts'
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

interface OpenRollCall {
  readonly call: SignedRollCall
  readonly kinds: ReadonlyMap<string, VerdictKind>
  readonly closesAt: Millis
  readonly answers: Map<string, Map<string, SignedAnswer>>
  present: Uint8Array
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
  readonly #retryAt = new Map<string, Millis>()
  readonly #withheld = new Map<string, string>()
  readonly #lives = new Map<string, Incarnation>()
  #open: OpenRollCall | undefined
  #lastRollCallAt = Number.NEGATIVE_INFINITY

  constructor(options: LeaderOptions) {
    this.#options = options
    this.#ballots = new Ballots(options.timing.accusationTtlMs)
    this.#conditions = new Conditions(options.roster, this.#ballots, options.standing)
  }

  get ballots(): Ballots {
    return this.#ballots
  }

  get conditions(): Conditions {
    return this.#conditions
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
    const open = this.#open
    if (open === undefined || open.call.rollCall.nonce !== nonce) return []
    open.present = mergePresence(open.present, present)
    const effects: Effect[] = []
    for (const signed of answers) {
      const { voter, subject } = signed.answer
      const heard = open.answers.get(subject)
      if (heard === undefined || heard.has(voter)) continue
      if (this.#isValid(open, signed)) heard.set(voter, signed)
      else effects.push({ kind: 'dropped', why: 'answer', from: voter })
    }
    return effects
  }

  /** Re-reads everything. `peers` are the nodes a roll-call can be sent to. */
  tick(now: Millis, peers: readonly string[]): readonly Effect[] {
    this.#ballots.expire(now)
    for (const subject of this.#withheld.keys()) {
      if (!this.#conditions.suspected.has(subject)) this.#forget(subject)
    }
    const notices = this.#conditions.update().map((notice): Effect => ({ kind: 'notice', notice }))
    return [...notices, ...this.#closeRollCall(now), ...this.#openRollCall(now, peers)]
  }

  nextAt(now: Millis): Millis {
    const times = [this.#ballots.nextAt(now), ...this.#retryAt.values()]
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
    if (this.#open !== undefined || now - this.#lastRollCallAt < ROLL_CALL_GAP_MS) return []
    const candidates = this.#candidates(now)
    if (candidates.length === 0) return []
    const { node: leader, roster, term, keyring, timing } = this.#options
    const subjects = candidates.map(({ subject: node, incarnation }) => ({ node, incarnation }))
    const rollCall: RollCall = { leader, epoch: roster.epoch, term, nonce: this.#options.nonce(), subjects }
    const call = { rollCall, signature: keyring.sign('roll-call', rollCall) }
    this.#lastRollCallAt = now
    this.#open = {
      call,
      kinds: new Map(candidates.map(({ subject, kind }) => [subject, kind])),
      closesAt: now + timing.rollCallMs,
      answers: new Map(subjects.map(({ node }) => [node, new Map()])),
      present: emptyPresence(roster.members.length),
    }
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
    const live = this.#live()
    const present = live.filter((index) => hasMember(open.present, index)).length
    const isMinority = present * 2 <= live.length
    // The observers may be quicker than the rest: before its time is up a roll-call shows no minority.
    if (now < open.closesAt && (isMinority || !this.#isComplete(open))) return []
    const { tallies, excused } = this.#count(open)
    this.#open = undefined
    const carried = isMinority ? [] : [...tallies].filter(([, counted]) => counted.kind === 'carried')
    for (const [subject] of carried) this.#convict(open, subject)
    const commits = carried.map(([subject]): Effect => {
      return { kind: 'commit', certificate: this.#certificate(open, subject, excused, present, live.length) }
    })
    const rest = [...tallies].filter(([subject]) => !this.#conditions.standing.has(subject))
    const withheld = rest.flatMap(([subject, counted]) => {
      const why =
        isMinority || counted.kind === 'carried'
          ? `only ${present} of ${live.length} live members answered: this side may be the one cut off`
          : counted.why
      return this.#withhold(now, open, subject, why)
    })
    return [...commits, ...withheld]
  }

  #forget(subject: string): void {
    this.#withheld.delete(subject)
    this.#retryAt.delete(subject)
  }

  #withhold(now: Millis, open: OpenRollCall, subject: string, why: string): readonly Effect[] {
    this.#retryAt.set(subject, now + this.#options.timing.rollCallRetryMs)
    if (this.#withheld.get(subject) === why) return []
    this.#withheld.set(subject, why)
    return [{ kind: 'notice', notice: { kind: 'withheld', subject, verdict: kindOf(open, subject), why } }]
  }

  /**
   * Observers that reach their own verdict in this same roll-call are excused from the others, so the count is repeated
   * until it agrees with itself. Where it never does, nobody is excused on the other's account.
   */
  #count(open: OpenRollCall): { tallies: ReadonlyMap<string, Tally>; excused: ReadonlySet<string> } {
    const standing = new Set(this.#conditions.standing.keys())
    let excused: ReadonlySet<string> = standing
    for (let round = 0; round <= open.kinds.size + 1; round++) {
      const tallies = this.#talliesWith(open, excused)
      const carried = [...tallies].filter(([, counted]) => counted.kind === 'carried').map(([subject]) => subject)
      const next = new Set([...standing, ...carried])
      if (next.size === excused.size && [...next].every((node) => excused.has(node))) return { tallies, excused }
      excused = next
    }
    return { tallies: this.#talliesWith(open, standing), excused: standing }
  }

  #talliesWith(open: OpenRollCall, excused: ReadonlySet<string>): ReadonlyMap<string, Tally> {
    return new Map([...open.kinds].map(([subject, kind]) => [subject, this.#tally(open, subject, kind, excused)]))
  }

  #tally(open: OpenRollCall, subject: string, kind: VerdictKind, excused: ReadonlySet<string>): Tally {
    const { roster, timing } = this.#options
    const answers = [...(open.answers.get(subject)?.values() ?? [])].map(({ answer }) => answer)
    const question = { subject, kind, assigned: zonesOfObservers(roster, subject), excused, hungMs: timing.hostHungMs }
    return tally(question, answers)
  }

  /** Every observer that can answer has: waiting longer cannot change the count. */
  #isComplete(open: OpenRollCall): boolean {
    return [...open.kinds.keys()].every((subject) => {
      const heard = open.answers.get(subject)
      const expected = [...zonesOfObservers(this.#options.roster, subject).keys()].filter(
        (node) => !this.#conditions.standing.has(node) && !open.kinds.has(node),
      )
      return expected.every((node) => heard?.has(node))
    })
  }

  #convict(open: OpenRollCall, subject: string): void {
    const { rollCall } = open.call
    this.#forget(subject)
    this.#conditions.convict({
      verdictId: verdictIdOf(rollCall, subject),
      kind: kindOf(open, subject),
      subject,
      incarnation: incarnationIn(rollCall, subject),
    })
  }

  #certificate(
    open: OpenRollCall,
    subject: string,
    excusedInCount: ReadonlySet<string>,
    present: number,
    live: number,
  ): Certificate {
    const { roster, rosterHash } = this.#options
    const { rollCall } = open.call
    const excused = [...zonesOfObservers(roster, subject).keys()].flatMap((node) => {
      const verdict = this.#conditions.standing.get(node)
      return verdict === undefined || !excusedInCount.has(node) ? [] : [{ node, verdictId: verdict.verdictId }]
    })
    return {
      mesh: roster.mesh,
      verdictId: verdictIdOf(rollCall, subject),
      kind: kindOf(open, subject),
      subject,
      incarnation: incarnationIn(rollCall, subject),
      rollCall: open.call,
      answers: [...(open.answers.get(subject)?.values() ?? [])],
      excused,
      rosterHash,
      present,
      live,
    }
  }

  /** Positions in the roster of the members without a standing verdict. */
  #live(): readonly number[] {
    return [...this.#options.roster.members.entries()].flatMap(([index, { node }]) =>
      this.#conditions.standing.has(node) ? [] : [index],
    )
  }

  #isValid(open: OpenRollCall, { answer, signature }: SignedAnswer): boolean {
    const { roster, keyring } = this.#options
    return isAnswerTo(open.call.rollCall, roster, answer) && keyring.verify(answer.voter, 'answer', answer, signature)
  }
}

function kindOf(open: OpenRollCall, subject: string): VerdictKind {
  return open.kinds.get(subject) ?? 'NodeDown'
}

function incarnationIn(rollCall: RollCall, subject: string): Incarnation {
  const asked = rollCall.subjects.find(({ node }) => node === subject)
  if (asked === undefined) throw new Error(`the roll-call did not ask about ${subject}`)
  return asked.incarnation
}
