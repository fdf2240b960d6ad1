/**
 * What follows from a roll-call that was closed: who is convicted, who is not and why, and what the answers tell besides.
 * Everything that can stand against a verdict is asked here: quorum, brake, vetoes, signs of life, absent members.
 */
import type { Ballots } from './ballots.ts'
import { Blindness } from './blindness.ts'
import { Brake } from './brake.ts'
import { Company } from './company.ts'
import type { Conditions } from './conditions.ts'
import { Disputes, showsHost } from './disputes.ts'
import { InQuestion } from './in-question.ts'
import type { Membership } from './membership.ts'
import type { Notice } from './message.ts'
import type { Millis } from './model.ts'
import type { OpenRollCall } from './open-roll-call.ts'
import type { Tally } from './quorum.ts'
import { isMajority, Reach } from './reach.ts'
import { SignsOfLife } from './signs-of-life.ts'

/** What came of the candidates. */
interface Counted {
  readonly convicted: readonly string[]
  /** Why each of the other candidates is not. */
  readonly withheld: ReadonlyMap<string, string>
  /** Observers that the count excused. */
  readonly excused: ReadonlySet<string>
}

export interface Judgement extends Counted {
  readonly notices: readonly Notice[]
  readonly present: number
  /** Members to be asked about, together with the candidates, before any of these is convicted; undefined: nobody. */
  readonly first: readonly string[] | undefined
}

export class Judge {
  readonly brake: Brake
  readonly disputes: Disputes
  readonly blindness: Blindness
  readonly company: Company
  readonly inQuestion: InQuestion
  readonly reach = new Reach()
  readonly #signs = new SignsOfLife()
  readonly #conditions: Conditions

  constructor(membership: Membership, conditions: Conditions, ballots: Ballots) {
    this.#conditions = conditions
    this.brake = new Brake(membership)
    this.disputes = new Disputes(membership)
    this.blindness = new Blindness(membership)
    this.inQuestion = new InQuestion(membership, conditions, ballots)
    this.company = new Company(conditions, this.inQuestion, this.brake)
  }

  forget(subject: string): void {
    this.#signs.forget(subject)
  }

  /** Counts who is in question. `absent`: members that a roll-call did not reach, and for whom nobody vouches. */
  applyBrake(now: Millis, absent: readonly string[]): readonly Notice[] {
    const change = this.brake.update(now, new Set([...this.inQuestion.all(), ...absent]))
    return change === undefined ? [] : [{ kind: 'brake', change }]
  }

  /** `live`: the members that count; `hungMs`: how long a hung host must have been silent to every observer. */
  close(now: Millis, open: OpenRollCall, live: readonly string[], hungMs: Millis): Judgement {
    const answered = live.filter((node) => open.isPresent(node))
    const absent = live.filter((node) => !open.isPresent(node))
    const present = answered.length
    this.company.present(now, answered)
    const notices: Notice[] = [
      ...this.reach.closed(present, live.length),
      ...this.blindness.update(new Set([...open.degraded, ...this.#conditions.agentDown])),
      ...open.subjects.flatMap((subject) => this.#takeIn(now, open, subject)),
    ]
    const nobody = { notices, present, convicted: [], withheld: new Map(), excused: new Set<string>() }
    if (!open.hasCandidates) return { ...nobody, first: undefined }

    const hasMajority = isMajority(present, live.length)
    const { missing, unexplained, askAgain } = this.company.called(now, open, absent, hasMajority)
    if (askAgain === 'now') return { ...nobody, first: unexplained }

    // A roll-call that most did not answer convicts nobody; who is absent from it may just have been too busy to answer.
    notices.push(...this.applyBrake(now, hasMajority ? missing : []))
    const counted = this.#count(now, open, hungMs, this.#whyNobody(present, live.length))
    if (askAgain === 'before-a-verdict' && counted.convicted.length > 0) {
      this.company.waits()
      return { ...nobody, first: unexplained }
    }
    return { notices, present, ...counted, first: undefined }
  }

  /** `against`: what stands against every verdict, undefined for nothing. */
  #count(now: Millis, open: OpenRollCall, hungMs: Millis, against: string | undefined): Counted {
    const { standing, agentDown } = this.#conditions
    const excusedAnyhow = new Set([...standing.keys(), ...[...agentDown].filter((node) => !open.isPresent(node))])
    const allowance = this.brake.allowance(now)
    const objections = new Map<string, string>()
    // Whoever is put off excuses nobody, so the rest is counted again, until nobody more is put off.
    for (;;) {
      const { tallies, excused } = open.count(excusedAnyhow, new Set(objections.keys()), hungMs)
      const convicted = [...tallies].flatMap(([node, { kind }]) => {
        return kind === 'carried' && !objections.has(node) ? [node] : []
      })
      const before = objections.size
      for (const [index, subject] of convicted.entries()) {
        const why = against ?? this.#objection(now, subject, open) ?? (index < allowance ? undefined : RATIONED)
        if (why !== undefined) objections.set(subject, why)
      }
      if (objections.size > before) continue
      const others = [...tallies].filter(([subject]) => !convicted.includes(subject))
      const withheld = others.map(([node, tally]) => [node, objections.get(node) ?? against ?? whyNot(tally)] as const)
      return { convicted, withheld: new Map(withheld), excused }
    }
  }

  /** What the answers about one subject tell, whether it is a candidate or not. */
  #takeIn(now: Millis, open: OpenRollCall, subject: string): readonly Notice[] {
    const answers = open.answersAbout(subject)
    const signs = answers.filter((answer) => showsHost(answer)).map(({ voter }) => voter)
    if (signs.length > 0) this.company.vouched(now, subject)
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
    return this.#signs.objection(now, subject, this.inQuestion.few(subject), hasLinkFault)
  }

  /** What stands against every verdict of this moment, whatever the answers. */
  #whyNobody(present: number, live: number): string | undefined {
    if (this.brake.frozen !== undefined) return `frozen: ${this.brake.frozen}`
    if (isMajority(present, live)) return undefined
    return `only ${present} of ${live} live members answered: this side may be the one cut off`
  }
}

const RATIONED = 'put off: only so many verdicts a minute after a freeze'

function whyNot(tally: Tally): string {
  return tally.kind === 'carried' ? RATIONED : tally.why
}
