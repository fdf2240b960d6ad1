/**
 * The leader's part: votes make a candidate, a candidate makes a roll-call, and only what a fresh roll-call answers makes
 * a verdict. The leader decides nothing on its own; its verdict is the certificate that anyone can count again.
 */
import { Ballots, silentFor } from './ballots.ts'
import { zonesOfObservers } from './certificate.ts'
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

  #candidates(now: Millis): ReadonlyMap<string, VerdictKind> {
    const { timing } = this.#options
    const candidates = new Map<string, VerdictKind>()
    for (const subject of this.#conditions.suspected) {
      if (this.#conditions.standing.has(subject) || (this.#retryAt.get(subject) ?? 0) > now) continue
      const needed = this.#neededAmong(subject)
      const silent = this.#ballots.about(subject, 'HostHung', 'NodeDown')
      const isHung = silent.every((ballot) => silentFor(ballot, now) >= timing.hostHungMs)
      if (this.#ballots.about(subject, 'NodeDown').length >= needed) candidates.set(subject, 'NodeDown')
      else if (isHung && silent.length >= needed) candidates.set(subject, 'HostHung')
    }
    return candidates
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
    const kinds = this.#candidates(now)
    if (kinds.size === 0) return []
    const { node: leader, roster, term, keyring, timing } = this.#options
    const subjects = [...kinds.keys()].map((node) => ({
      node,
      incarnation: this.#ballots.latestIncarnation(node) ?? { serial: 0, boot: 0, refutations: 0 },
    }))
    const rollCall: RollCall = { leader, epoch: roster.epoch, term, nonce: this.#options.nonce(), subjects }
    const call = { rollCall, signature: keyring.sign('roll-call', rollCall) }
    this.#lastRollCallAt = now
    this.#open = {
      call,
      kinds,
      closesAt: now + timing.rollCallMs,
      answers: new Map(subjects.map(({ node }) => [node, new Map()])),
      present: emptyPresence(roster.members.length),
    }
    const notices: Notice[] = [...kinds].map(([subject, verdict]) => ({
      kind: 'candidate',
      subject,
      verdict,
      votes: this.#ballots.about(subject, 'NodeDown', 'HostHung').length,
    }))
    notices.push({ kind: 'rollCall', nonce: rollCall.nonce, subjects: [...kinds.keys()], live: this.#live().length })
    return [
      ...notices.map((notice): Effect => ({ kind: 'notice', notice })),
      ...peers.map((to): Effect => ({ kind: 'send', to, via: 'any', message: { kind: 'roll-call', call } })),
    ]
  }

  #closeRollCall(now: Millis): readonly Effect[] {
    const open = this.#open
    if (open === undefined) return []
    const tallies = this.#tallies(open)
    if (now < open.closesAt && !this.#isComplete(open)) return []
    this.#open = undefined
    const live = this.#live()
    const present = live.filter((index) => hasMember(open.present, index)).length
    const isMinority = present * 2 <= live.length
    const carried = isMinority ? [] : [...tallies].filter(([, counted]) => counted.kind === 'carried')
    for (const [subject] of carried) this.#convict(open, subject)
    const commits = carried.map(([subject]): Effect => {
      return { kind: 'commit', certificate: this.#certificate(open, subject, present, live.length) }
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

  /** Observers that reach their own verdict in this same roll-call are excused from the others: repeat until stable. */
  #tallies(open: OpenRollCall): ReadonlyMap<string, Tally> {
    const excused = new Set(this.#conditions.standing.keys())
    let tallies = new Map<string, Tally>()
    for (let before = -1; before < excused.size; ) {
      before = excused.size
      tallies = new Map([...open.kinds].map(([subject, kind]) => [subject, this.#tally(open, subject, kind, excused)]))
      for (const [subject, counted] of tallies) if (counted.kind === 'carried') excused.add(subject)
    }
    return tallies
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
      verdictId: `${rollCall.nonce}-${subject}`,
      kind: kindOf(open, subject),
      subject,
      incarnation: incarnationIn(rollCall, subject),
    })
  }

  #certificate(open: OpenRollCall, subject: string, present: number, live: number): Certificate {
    const { roster, rosterHash } = this.#options
    const { rollCall } = open.call
    const excused = [...zonesOfObservers(roster, subject).keys()].flatMap((node) => {
      const verdict = this.#conditions.standing.get(node)
      return verdict === undefined ? [] : [{ node, verdictId: verdict.verdictId }]
    })
    return {
      mesh: roster.mesh,
      verdictId: `${rollCall.nonce}-${subject}`,
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
    const { rollCall } = open.call
    const asked = rollCall.subjects.find(({ node }) => node === answer.subject)
    const voter = roster.members.find(({ node }) => node === answer.voter)
    if (asked === undefined || voter === undefined || voter.serial !== answer.voterSerial) return false
    if (answer.nonce !== rollCall.nonce || answer.epoch !== rollCall.epoch) return false
    // Silence about another life than the one in question proves nothing; a sign of life always does.
    const sameLife = compareIncarnations(answer.incarnation, asked.incarnation) === 0
    if (!sameLife && answer.opinion !== 'Alive' && answer.opinion !== 'Abstain') return false
    return keyring.verify(answer.voter, 'answer', answer, signature)
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
