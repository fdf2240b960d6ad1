/** A roll-call as its leader sees it, from the question to the count of the answers. */
import { isAnswerTo, verdictIdOf, zonesOfObservers } from './certificate.ts'
import type {
  Certificate,
  Conclusion,
  Incarnation,
  Keyring,
  Millis,
  Roster,
  SignedAnswer,
  SignedRollCall,
  Standing,
  VerdictKind,
} from './model.ts'
import { emptyPresence, hasMember, mergePresence } from './presence.ts'
import { type Tally, tally } from './quorum.ts'

export interface Count {
  readonly tallies: ReadonlyMap<string, Tally>
  /** Who was excused in it, and so must be in the certificates that come of it. */
  readonly excused: ReadonlySet<string>
}

export class OpenRollCall {
  readonly closesAt: Millis
  readonly #call: SignedRollCall
  readonly #kinds: ReadonlyMap<string, VerdictKind>
  readonly #roster: Roster
  readonly #answers: ReadonlyMap<string, Map<string, SignedAnswer>>
  #present: Uint8Array

  /** `kinds`: what each subject is held for. */
  constructor(call: SignedRollCall, kinds: ReadonlyMap<string, VerdictKind>, roster: Roster, closesAt: Millis) {
    this.closesAt = closesAt
    this.#call = call
    this.#kinds = kinds
    this.#roster = roster
    this.#answers = new Map([...kinds.keys()].map((subject) => [subject, new Map()]))
    this.#present = emptyPresence(roster.members.length)
  }

  get nonce(): string {
    return this.#call.rollCall.nonce
  }

  kindOf(subject: string): VerdictKind {
    return this.#kinds.get(subject) ?? 'NodeDown'
  }

  /** Returns the voters whose answers were no valid ones. */
  answered(present: Uint8Array, answers: readonly SignedAnswer[], keyring: Keyring): readonly string[] {
    this.#present = mergePresence(this.#present, present)
    return answers.flatMap((signed) => {
      const { answer, signature } = signed
      const heard = this.#answers.get(answer.subject)
      if (heard === undefined || heard.has(answer.voter)) return []
      const isValid =
        isAnswerTo(this.#call.rollCall, this.#roster, answer) &&
        keyring.verify(answer.voter, 'answer', answer, signature)
      if (!isValid) return [answer.voter]
      heard.set(answer.voter, signed)
      return []
    })
  }

  isPresent(node: string): boolean {
    const index = this.#roster.members.findIndex((member) => member.node === node)
    return index >= 0 && hasMember(this.#present, index)
  }

  /** Everyone of `live` that is not itself in question has said what it can: waiting longer changes nothing. */
  isComplete(live: readonly string[], suspected: ReadonlySet<string>): boolean {
    const expected = live.filter((node) => !this.#kinds.has(node) && !suspected.has(node))
    if (!expected.every((node) => this.isPresent(node))) return false
    return [...this.#kinds.keys()].every((subject) => {
      const observers = zonesOfObservers(this.#roster, subject)
      return expected.every((node) => !observers.has(node) || this.#answers.get(subject)?.has(node))
    })
  }

  /**
   * Observers that reach their own verdict in this same roll-call are excused from the others, so the count is repeated
   * until it agrees with itself. Where it never does, nobody is excused on the other's account.
   */
  count(standing: ReadonlySet<string>, hungMs: Millis): Count {
    let excused = standing
    for (let round = 0; round <= this.#kinds.size + 1; round++) {
      const tallies = this.#talliesWith(excused, hungMs)
      const carried = [...tallies].filter(([, counted]) => counted.kind === 'carried').map(([subject]) => subject)
      const next = new Set([...standing, ...carried])
      if (next.size === excused.size && [...next].every((node) => excused.has(node))) return { tallies, excused }
      excused = next
    }
    return { tallies: this.#talliesWith(standing, hungMs), excused: standing }
  }

  verdictOn(subject: string): Standing {
    const kind = this.kindOf(subject)
    return { verdictId: verdictIdOf(this.#call.rollCall, subject), kind, subject, incarnation: this.#lifeOf(subject) }
  }

  /** `excused`: as in the count that carried; `standing`: the verdicts that excuse them. */
  certificate(
    subject: string,
    excused: ReadonlySet<string>,
    standing: ReadonlyMap<string, Standing>,
    figures: Pick<Conclusion, 'rosterHash' | 'present' | 'live'>,
    keyring: Keyring,
  ): Certificate {
    const answers = [...(this.#answers.get(subject)?.values() ?? [])]
    const conclusion: Conclusion = {
      ...figures,
      ...this.verdictOn(subject),
      voters: answers.map(({ answer }) => answer.voter),
      excused: [...zonesOfObservers(this.#roster, subject).keys()].flatMap((node) => {
        const verdict = standing.get(node)
        return verdict === undefined || !excused.has(node) ? [] : [{ node, verdictId: verdict.verdictId }]
      }),
    }
    const signature = keyring.sign('verdict', conclusion)
    return { ...conclusion, mesh: this.#roster.mesh, rollCall: this.#call, answers, signature }
  }

  #talliesWith(excused: ReadonlySet<string>, hungMs: Millis): ReadonlyMap<string, Tally> {
    return new Map(
      [...this.#kinds].map(([subject, kind]) => {
        const answers = [...(this.#answers.get(subject)?.values() ?? [])].map(({ answer }) => answer)
        const assigned = zonesOfObservers(this.#roster, subject)
        return [subject, tally({ subject, kind, assigned, excused, hungMs }, answers)]
      }),
    )
  }

  #lifeOf(subject: string): Incarnation {
    const asked = this.#call.rollCall.subjects.find(({ node }) => node === subject)
    if (asked === undefined) throw new Error(`the roll-call did not ask about ${subject}`)
    return asked.incarnation
  }
}
