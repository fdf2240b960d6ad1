/**
 * A member's part in a roll-call. The question floods outwards; presence bits and signed answers flow back to whoever
 * brought the question first, and second, so that one death on the way loses nothing. An observer that is still looking
 * answers when it knows, as long as the roll-call is open.
 */
import type { Effect } from './message.ts'
import type { Answer, Keyring, Millis, Roster, Signature, SignedAnswer, SignedRollCall } from './model.ts'
import { emptyPresence, mergePresence, samePresence, withMember } from './presence.ts'
import { ringOf } from './ring.ts'
import type { Timing } from './timing.ts'

/** Roll-calls a member keeps track of at a time. Two a second for 300 ms each need one. */
const OPEN_ROLL_CALLS = 4

/** Ways back to the leader that a member uses. */
const PARENTS = 2

/** Answers one roll-call may gather, and one message may carry; 2 to 3 subjects at a time are usual, a rack is 50. */
const ANSWERS_MAX = 1_024

/**
 * Roll-calls that are over and not to be taken up again. A copy may come late over an edge that is slower than a
 * roll-call is long; passed on, it would come back over that edge for ever. At two a second these are minutes.
 */
const PAST_ROLL_CALLS = 512

export interface Voter {
  readonly node: string
  readonly serial: number
  /** This node's own answer about a subject; undefined while it cannot say, or is no observer of it. */
  answer(
    now: Millis,
    subject: string,
  ): Pick<Answer, 'incarnation' | 'opinion' | 'channel' | 'forMs' | 'reason'> | undefined
  observes(subject: string): boolean
}

interface OpenCall {
  readonly call: SignedRollCall
  readonly parents: string[]
  readonly closesAt: Millis
  readonly unanswered: Set<string>
  /** By voter and subject. `proved`: its signature was checked, so nothing takes its place. */
  readonly known: Map<string, { readonly signature: Signature; readonly proved: boolean }>
  present: Uint8Array
  unsent: SignedAnswer[]
  presentSent: Uint8Array
  flushAt: Millis
}

export class RollCallDesk {
  readonly #voter: Voter
  readonly #roster: Roster
  readonly #keyring: Keyring
  readonly #timing: Timing
  readonly #open = new Map<string, OpenCall>()
  readonly #past = new Set<string>()
  #term = 0

  constructor(voter: Voter, roster: Roster, keyring: Keyring, timing: Timing) {
    this.#voter = voter
    this.#roster = roster
    this.#keyring = keyring
    this.#timing = timing
  }

  /** A question arrived. Returns what to pass on, or why it was dropped; empty when it was known. */
  receive(now: Millis, from: string, call: SignedRollCall, peers: readonly string[]): readonly Effect[] {
    const { nonce, subjects } = call.rollCall
    const known = this.#open.get(nonce)
    if (known !== undefined) {
      if (known.parents.length < PARENTS && !known.parents.includes(from)) known.parents.push(from)
      return []
    }
    if (this.#past.has(nonce)) return []
    if (!this.#isAuthentic(call) || this.#open.size >= OPEN_ROLL_CALLS) {
      return [{ kind: 'dropped', why: 'roll-call', from }]
    }
    this.#term = call.rollCall.term
    const index = this.#roster.members.findIndex((member) => member.node === this.#voter.node)
    const nobody = emptyPresence(this.#roster.members.length)
    this.#open.set(nonce, {
      call,
      parents: [from],
      closesAt: now + this.#timing.rollCallMs,
      unanswered: new Set(subjects.map((subject) => subject.node).filter((node) => this.#voter.observes(node))),
      known: new Map(),
      present: index < 0 ? nobody : withMember(nobody, index),
      presentSent: nobody,
      unsent: [],
      flushAt: now,
    })
    return peers
      .filter((peer) => peer !== from)
      .map((to) => ({ kind: 'send', to, via: 'any', message: { kind: 'roll-call', call } }))
  }

  /** Answers of others on their way to the leader, which checks them; here they are only sorted. */
  relay(now: Millis, nonce: string, present: Uint8Array, answers: readonly SignedAnswer[]): void {
    const open = this.#open.get(nonce)
    if (open === undefined) return
    open.present = mergePresence(open.present, present)
    for (const signed of answers) {
      if (this.#isNews(open, signed)) open.unsent.push(signed)
    }
    open.flushAt = Math.min(open.flushAt, now + this.#timing.rollCallBatchMs)
  }

  tick(now: Millis): readonly Effect[] {
    const effects: Effect[] = []
    for (const [nonce, open] of this.#open) {
      for (const subject of open.unanswered) this.#answer(now, open, subject)
      if (now >= open.flushAt) effects.push(...this.#flush(now, nonce, open))
      if (now >= open.closesAt) this.#close(nonce)
    }
    return effects
  }

  nextAt(now: Millis): Millis {
    const times = [...this.#open.values()].flatMap((open) => [open.flushAt, open.closesAt])
    return Math.min(...times.filter((time) => time > now))
  }

  #isAuthentic({ rollCall, signature }: SignedRollCall): boolean {
    const { leader, term, epoch } = rollCall
    const leads = this.#roster.aggregators.some((aggregator) => aggregator.node === leader)
    if (!leads || term < this.#term || epoch !== this.#roster.epoch) return false
    return this.#keyring.verify(leader, 'roll-call', rollCall, signature)
  }

  #close(nonce: string): void {
    this.#open.delete(nonce)
    this.#past.add(nonce)
    const [oldest] = this.#past
    if (this.#past.size > PAST_ROLL_CALLS && oldest !== undefined) this.#past.delete(oldest)
  }

  /**
   * Whether this is worth passing on: the answer of an observer that was asked, the first one or, if they differ, a
   * second one that is proved. A forged answer must not keep the true one out, and only a conflict is worth a check.
   */
  #isNews({ call, known }: OpenCall, { answer, signature }: SignedAnswer): boolean {
    const { voter, subject } = answer
    const wasAsked = call.rollCall.subjects.some(({ node }) => node === subject)
    if (!wasAsked || !ringOf(this.#roster).observersOf(subject).includes(voter)) return false
    const key = `${voter}\n${subject}`
    const earlier = known.get(key)
    if (earlier === undefined ? known.size >= ANSWERS_MAX : earlier.proved || isSame(earlier.signature, signature)) {
      return false
    }
    const proved = earlier !== undefined && this.#keyring.verify(voter, 'answer', answer, signature)
    if (earlier !== undefined && !proved) return false
    known.set(key, { signature, proved })
    return true
  }

  #answer(now: Millis, open: OpenCall, subject: string): void {
    const own = this.#voter.answer(now, subject)
    if (own === undefined) return
    open.unanswered.delete(subject)
    const { nonce, epoch } = open.call.rollCall
    const { node: voter, serial: voterSerial } = this.#voter
    const answer: Answer = { nonce, epoch, voter, voterSerial, subject, ...own }
    const signature = this.#keyring.sign('answer', answer)
    open.known.set(`${voter}\n${subject}`, { signature, proved: true })
    open.unsent.push({ answer, signature })
    open.flushAt = Math.min(open.flushAt, now)
  }

  #flush(now: Millis, nonce: string, open: OpenCall): readonly Effect[] {
    const { present } = open
    const answers = open.unsent.slice(0, ANSWERS_MAX)
    open.unsent = open.unsent.slice(ANSWERS_MAX)
    open.flushAt = open.unsent.length > 0 ? now + this.#timing.rollCallBatchMs : Number.POSITIVE_INFINITY
    if (answers.length === 0 && samePresence(present, open.presentSent)) return []
    open.presentSent = present
    if (now >= open.closesAt) return []
    return open.parents.map((to) => ({
      kind: 'send',
      to,
      via: 'any',
      message: { kind: 'answers', nonce, present, answers },
    }))
  }
}

function isSame(a: Signature, b: Signature): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
