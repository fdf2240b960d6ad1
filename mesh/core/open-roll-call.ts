/** A roll-call as its leader sees it, from the question to the count of the answers. */
import { isAnswerTo, verdictIdOf, zonesOfObservers } from './certificate.ts'
import { showsHost } from './disputes.ts'
import type { Membership } from './membership.ts'
import type { Message } from './message.ts'
import type {
  Answer,
  Certificate,
  Conclusion,
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
import { emptyPresence, hasMember, mergePresence } from './presence.ts'
import { neededOf, type Silence, type Tally, tally } from './quorum.ts'

export interface Count {
  readonly tallies: ReadonlyMap<string, Tally>
  /** Who was excused in it, and so must be in the certificates that come of it. */
  readonly excused: ReadonlySet<string>
}

export class OpenRollCall {
  readonly closesAt: Millis
  readonly #call: SignedRollCall
  readonly #kinds: ReadonlyMap<string, Silence>
  readonly #membership: Membership
  readonly #isAtFault: (observer: string) => boolean
  readonly #roster: Roster
  readonly #answers: ReadonlyMap<string, Map<string, SignedAnswer>>
  #present: Uint8Array
  #degraded: Uint8Array

  /**
   * `kinds`: what the candidates among its subjects are held for. The others are only asked about. `isAtFault`: observers
   * whose word against a subject does not count.
   */
  constructor(
    call: SignedRollCall,
    kinds: ReadonlyMap<string, Silence>,
    membership: Membership,
    isAtFault: (observer: string) => boolean,
    closesAt: Millis,
  ) {
    this.closesAt = closesAt
    this.#call = call
    this.#kinds = kinds
    this.#membership = membership
    this.#isAtFault = isAtFault
    this.#roster = membership.roster
    this.#answers = new Map(call.rollCall.subjects.map(({ node }) => [node, new Map()]))
    this.#present = emptyPresence(this.#roster.members.length)
    this.#degraded = emptyPresence(this.#roster.members.length)
  }

  /** Whether it may convict somebody. One that may not gives way to one that may. */
  get hasCandidates(): boolean {
    return this.#kinds.size > 0
  }

  /** Those of its subjects that it may convict. */
  get candidates(): readonly string[] {
    return [...this.#kinds.keys()]
  }

  get subjects(): readonly string[] {
    return [...this.#answers.keys()]
  }

  get call(): RollCall {
    return this.#call.rollCall
  }

  get nonce(): string {
    return this.#call.rollCall.nonce
  }

  kindOf(subject: string): Silence {
    return this.#kinds.get(subject) ?? 'NodeDown'
  }

  answersAbout(subject: string): readonly Answer[] {
    return [...(this.#answers.get(subject)?.values() ?? [])].map(({ answer }) => answer)
  }

  /** Members that hold themselves unfit to judge others. */
  get degraded(): readonly string[] {
    const { members } = this.#roster
    return members.flatMap(({ node }, index) => (hasMember(this.#degraded, index) ? [node] : []))
  }

  /** Returns the voters whose answers were no valid ones. */
  answered(
    { present, degraded, answers }: Pick<Extract<Message, { kind: 'answers' }>, 'present' | 'degraded' | 'answers'>,
    keyring: Keyring,
  ): readonly string[] {
    this.#present = mergePresence(this.#present, present)
    if (degraded.length > 0) this.#degraded = mergePresence(this.#degraded, degraded)
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
    const position = this.#membership.positionOf(node)
    return position !== undefined && hasMember(this.#present, position)
  }

  /** Everyone of `live` that is not itself in question has said what it can: waiting longer changes nothing. */
  isComplete(live: readonly string[], suspected: ReadonlySet<string>): boolean {
    const isExpected = (node: string) => !this.#answers.has(node) && !suspected.has(node)
    if (!live.every((node) => !isExpected(node) || this.isPresent(node))) return false
    const lives = new Set(live)
    return [...this.#answers].every(([subject, answers]) => {
      const observers = [...zonesOfObservers(this.#roster, subject).keys()]
      return observers.every((node) => !lives.has(node) || !isExpected(node) || answers.has(node))
    })
  }

  /**
   * Observers that reach their own verdict in this same roll-call are excused from the others, so the count is repeated
   * until it agrees with itself. Where it never does, nobody is excused on the other's account. `putOff`: candidates that
   * are not to be convicted whatever the count says, and so excuse nobody.
   *
   * A hung host is convicted by all of its observers. Two that observe each other would keep each other from it for ever, so the
   * count begins with those excused that reach H and did not answer. It ends with them only if each of them is convicted.
   */
  count(excusedAnyhow: ReadonlySet<string>, putOff: ReadonlySet<string>, hungMs: Millis): Count {
    let excused: ReadonlySet<string> = new Set([...excusedAnyhow, ...this.#hungAlike(excusedAnyhow, putOff, hungMs)])
    for (let round = 0; round <= this.#kinds.size + 2; round++) {
      const tallies = this.#talliesWith(excused, hungMs)
      const carried = [...tallies].filter(([node, { kind }]) => kind === 'carried' && !putOff.has(node))
      const next = new Set([...excusedAnyhow, ...carried.map(([subject]) => subject)])
      if (next.size === excused.size && [...next].every((node) => excused.has(node))) return { tallies, excused }
      excused = next
    }
    return { tallies: this.#talliesWith(excusedAnyhow, hungMs), excused: excusedAnyhow }
  }

  verdictOn(subject: string, kind: VerdictKind): Standing {
    return { verdictId: verdictIdOf(this.#call.rollCall, subject), kind, subject, incarnation: this.#lifeOf(subject) }
  }

  /** `excused`: as in the count that carried, with the record that excuses each. */
  certificate(
    subject: string,
    kind: VerdictKind,
    excused: ReadonlyMap<string, string>,
    figures: Pick<Conclusion, 'rosterHash' | 'present' | 'live' | 'heartbeat'>,
    keyring: Keyring,
  ): Certificate {
    const answers = this.#counted(subject)
    const conclusion: Conclusion = {
      ...figures,
      ...this.verdictOn(subject, kind),
      voters: answers.map(({ answer }) => answer.voter),
      excused: [...zonesOfObservers(this.#roster, subject).keys()].flatMap((node) => {
        const verdictId = excused.get(node)
        return verdictId === undefined ? [] : [{ node, verdictId }]
      }),
    }
    const signature = keyring.sign('verdict', conclusion)
    return { ...conclusion, mesh: this.#roster.mesh, rollCall: this.#call, answers, signature }
  }

  #hungAlike(excused: ReadonlySet<string>, putOff: ReadonlySet<string>, hungMs: Millis): readonly string[] {
    return [...this.#talliesWith(excused, hungMs)].flatMap(([node, tally]) => {
      if (this.#kinds.get(node) !== 'HostHung' || tally.kind !== 'short' || putOff.has(node)) return []
      const observers = [...zonesOfObservers(this.#roster, node).keys()]
      const needed = neededOf(observers.length, observers.filter((observer) => !excused.has(observer)).length)
      return tally.voters.length >= needed && !this.isPresent(node) ? [node] : []
    })
  }

  #talliesWith(excused: ReadonlySet<string>, hungMs: Millis): ReadonlyMap<string, Tally> {
    return new Map(
      [...this.#kinds].map(([subject, kind]) => {
        const answers = this.#counted(subject).map(({ answer }) => answer)
        const assigned = zonesOfObservers(this.#roster, subject)
        return [subject, tally({ subject, kind, assigned, excused, hungMs }, answers)]
      }),
    )
  }

  /** Without those of observers at fault, unless they speak for the subject. */
  #counted(subject: string): readonly SignedAnswer[] {
    const answers = [...(this.#answers.get(subject)?.values() ?? [])]
    return answers.filter(({ answer }) => showsHost(answer) || !this.#isAtFault(answer.voter))
  }

  #lifeOf(subject: string): Incarnation {
    const asked = this.#call.rollCall.subjects.find(({ node }) => node === subject)
    if (asked === undefined) throw new Error(`the roll-call did not ask about ${subject}`)
    return asked.incarnation
  }
}
