/**
 * What follows from a roll-call that was closed: who is convicted, who is not and why, and what the answers tell besides.
 * Everything that can stand against a verdict is asked here: quorum, brake, vetoes, signs of life, absent members.
 */
import { Absence } from './absence.ts'
import type { Ballots } from './ballots.ts'
import { Blindness } from './blindness.ts'
import { Brake } from './brake.ts'
import type { Conditions } from './conditions.ts'
import { Disputes, showsHost } from './disputes.ts'
import type { Membership } from './membership.ts'
import type { Notice } from './message.ts'
import type { Answer, Millis } from './model.ts'
import type { OpenRollCall } from './open-roll-call.ts'
import { type Tally, vetoOf } from './quorum.ts'
import { isMajority, Reach } from './reach.ts'
import { SignsOfLife } from './signs-of-life.ts'

/** By then a verdict has waited for most of a second. For others to join it, it waits once. */
const FOLLOW_UPS_MAX = 2

/** Two may fall silent at once by chance, or one die while another is busy. */
const CROWD = 3

/** More are not asked about: so many at once are in question for good reason. */
const UNEXPLAINED_MAX = 50

/** A verdict's first votes come 1.3 s after the last sign of life, those about others of the same moment up to 0.45 s later. */
const SHOWS_BY_MS = 1_750

export interface Judgement {
  readonly notices: readonly Notice[]
  readonly convicted: readonly string[]
  /** Why each of the other candidates is not. */
  readonly withheld: ReadonlyMap<string, string>
  /** Observers that the count excused. */
  readonly excused: ReadonlySet<string>
  readonly present: number
  /** Members to be asked about, together with the candidates, before any of these is convicted; undefined: nobody. */
  readonly first: readonly string[] | undefined
}

export class Judge {
  readonly brake: Brake
  readonly disputes: Disputes
  readonly blindness: Blindness
  readonly reach = new Reach()
  readonly #absence = new Absence()
  readonly #signs = new SignsOfLife()
  /** Questions in a row that convicted nobody because others belong to them. */
  #followUps = 0
  readonly #membership: Membership
  readonly #conditions: Conditions
  readonly #ballots: Ballots

  constructor(membership: Membership, conditions: Conditions, ballots: Ballots) {
    this.#membership = membership
    this.#conditions = conditions
    this.#ballots = ballots
    this.brake = new Brake(membership)
    this.disputes = new Disputes(membership)
    this.blindness = new Blindness(membership)
  }

  forget(subject: string): void {
    this.#signs.forget(subject)
  }

  /** Counts who is in question. `absent`: members that a roll-call did not reach, and for whom nobody vouches. */
  applyBrake(now: Millis, absent: readonly string[]): readonly Notice[] {
    const change = this.brake.update(now, new Set([...this.#inQuestion(), ...absent]))
    return change === undefined ? [] : [{ kind: 'brake', change }]
  }

  /** `live`: the members that count; `hungMs`: how long a hung host must have been silent to every observer. */
  close(now: Millis, open: OpenRollCall, live: readonly string[], hungMs: Millis): Judgement {
    const absent = live.filter((node) => !open.isPresent(node))
    const present = live.length - absent.length
    const { agentDown } = this.#conditions
    this.#absence.present(
      now,
      live.filter((node) => open.isPresent(node)),
    )
    const notices: Notice[] = [
      ...this.reach.closed(present, live.length),
      ...this.blindness.update(new Set([...open.degraded, ...agentDown])),
      ...open.subjects.flatMap((subject) => this.#takeIn(now, open, subject)),
    ]
    const nothing = { convicted: [], withheld: new Map(), excused: new Set<string>(), first: undefined }
    if (!open.hasCandidates) return { ...nothing, notices, present }

    const asked = new Set(open.subjects)
    const busy = this.#followUps > 0 ? this.#merelyBusy(open) : []
    const missing = this.#absence.unexplained(
      now,
      absent.filter((node) => !agentDown.has(node) && !busy.includes(node)),
    )
    const unexplained = missing.filter((node) => !asked.has(node))
    const hasMajority = isMajority(present, live.length)
    const mayAskAgain = hasMajority && this.#followUps < FOLLOW_UPS_MAX && unexplained.length <= UNEXPLAINED_MAX
    if (mayAskAgain && this.#hangsOn(now, unexplained)) {
      this.#followUps++
      return { ...nothing, notices, present, first: unexplained }
    }
    const isJoined = mayAskAgain && this.#followUps === 0 && this.#isJoined(now, asked, unexplained)
    this.#followUps = 0

    // A roll-call that most did not answer convicts nobody; who is absent from it may just have been too busy to answer.
    notices.push(...this.applyBrake(now, hasMajority ? missing : []))
    const against = this.#whyNobody(present, live.length)
    const objections = new Map<string, string>()
    const excusedAnyhow = new Set([
      ...this.#conditions.standing.keys(),
      ...[...agentDown].filter((node) => !open.isPresent(node)),
    ])
    // Whoever is put off excuses nobody, so the rest is counted again, until nobody more is put off.
    for (;;) {
      const { tallies, excused } = open.count(excusedAnyhow, new Set(objections.keys()), hungMs)
      const carried = [...tallies].flatMap(([node, { kind }]) => {
        return kind === 'carried' && !objections.has(node) ? [node] : []
      })
      const before = objections.size
      const allowance = this.brake.allowance(now)
      for (const [index, subject] of carried.entries()) {
        const why = against ?? this.#objection(now, subject, open) ?? (index < allowance ? undefined : RATIONED)
        if (why !== undefined) objections.set(subject, why)
      }
      if (objections.size > before) continue
      if (isJoined && carried.length > 0) {
        this.#followUps++
        return { ...nothing, notices, present, first: unexplained }
      }
      const withheld = new Map(
        [...tallies].flatMap(([subject, counted]) => {
          if (carried.includes(subject)) return []
          return [[subject, objections.get(subject) ?? against ?? whyNot(counted)] as const]
        }),
      )
      return { notices, convicted: carried, withheld, excused, present, first: undefined }
    }
  }

  /** Silent to at least L observers: more than a stray one, or two that lie. */
  silentToFew(): readonly string[] {
    const few = (subject: string) => vetoOf(this.#membership.observersOf(subject).size)
    return [...this.#conditions.suspected].filter(
      (subject) => this.#ballots.about(subject, 'NodeDown', 'HostHung').length >= few(subject),
    )
  }

  /** Without a verdict, and lately fallen silent to more than a few. */
  comingUp(now: Millis): readonly string[] {
    const silent = new Set(this.silentToFew())
    return this.brake.lately(now).filter((node) => silent.has(node) && !this.#conditions.standing.has(node))
  }

  /** What the brake counts, but for who is absent from a roll-call. */
  #inQuestion(): readonly string[] {
    return [...this.silentToFew(), ...this.#conditions.standing.keys()]
  }

  /** Whether others fell silent together with the candidates, or seem to have: then they are one batch, if asked once more. */
  #isJoined(now: Millis, asked: ReadonlySet<string>, unexplained: readonly string[]): boolean {
    if (this.comingUp(now).some((node) => !asked.has(node))) return true
    return unexplained.length > 0 && asked.size + unexplained.length >= CROWD
  }

  /** Of those asked about once more: by now their observers would hold them silent, had they fallen with the candidates. */
  #merelyBusy(open: OpenRollCall): readonly string[] {
    const { candidates } = open
    const accusing = (subject: string) => open.answersAbout(subject).filter(isAccusing)
    const silentMs = Math.min(...candidates.map((node) => median(accusing(node).map(({ forMs }) => forMs))))
    if (!(silentMs >= SHOWS_BY_MS)) return []
    const few = (subject: string) => vetoOf(this.#membership.observersOf(subject).size)
    return open.subjects.filter((node) => !candidates.includes(node) && accusing(node).length < few(node))
  }

  #hangsOn(now: Millis, unexplained: readonly string[]): boolean {
    if (unexplained.length === 0) return false
    const known = this.#inQuestion()
    const all = new Set([...known, ...unexplained])
    return !this.brake.wouldFreeze(now, new Set(known)) && this.brake.wouldFreeze(now, all)
  }

  /** What the answers about one subject tell, whether it is a candidate or not. */
  #takeIn(now: Millis, open: OpenRollCall, subject: string): readonly Notice[] {
    const answers = open.answersAbout(subject)
    const signs = answers.filter((answer) => showsHost(answer)).map(({ voter }) => voter)
    if (signs.length > 0) this.#absence.vouched(now, subject)
    if (open.kindOf(subject) === 'NodeDown') this.#signs.seen(now, subject, signs)
    return this.disputes.answered(now, subject, answers)
  }

  #objection(now: Millis, subject: string, open: OpenRollCall): string | undefined {
    const hasLinkFault = this.disputes.hasLinkFault(subject)
    if (open.kindOf(subject) !== 'NodeDown') {
      // Every connect to a hung host is taken. Where packets are lost only some are, and silence may be theirs for minutes.
      const isMissed = open.answersAbout(subject).some(({ channel }) => channel === 'nothing' || channel === 'lossy')
      return hasLinkFault && isMissed ? 'its links are at fault, and some connects do not reach its host' : undefined
    }
    const few = vetoOf(this.#membership.observersOf(subject).size)
    return this.#signs.objection(now, subject, few, hasLinkFault)
  }

  /** What stands against every verdict of this moment, whatever the answers. */
  #whyNobody(present: number, live: number): string | undefined {
    if (this.brake.frozen !== undefined) return `frozen: ${this.brake.frozen}`
    if (isMajority(present, live)) return undefined
    return `only ${present} of ${live} live members answered: this side may be the one cut off`
  }
}

function isAccusing({ opinion }: Answer): boolean {
  return opinion === 'NodeDown' || opinion === 'HostHung'
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

const RATIONED = 'put off: only so many verdicts a minute after a freeze'

function whyNot(counted: Tally): string {
  return counted.kind === 'carried' ? RATIONED : counted.why
}
