/**
 * A member's part in a roll-call. The question floods outwards; presence bits and signed answers flow back to whoever
 * brought the question first, and second, so that one death on the way loses nothing. An observer that is still looking
 * answers when it knows, as long as the roll-call is open.
 */
import type { Links } from './links.ts'
import type { Membership } from './membership.ts'
import type { Effect, Message } from './message.ts'
import type { Answer, Keyring, Millis, RollCall, Signature, SignedAnswer, SignedRollCall } from './model.ts'
import { emptyPresence, mergePresence, samePresence, withMember } from './presence.ts'
import type { Timing } from './timing.ts'

/** Roll-calls a member keeps track of at a time. Two a second for 300 ms each need one. */
const OPEN_ROLL_CALLS = 4

/** Ways back to the leader that answers take: whoever brought the question a moment ago is there to take them. */
const PARENTS = 2

/** Ways up that statements take until the next roll-call, 5 s later: by then some of them may be paused or dead. */
const UPLINKS = 4

/** Answers one roll-call may gather, and one message may carry; 2 to 3 subjects at a time are usual, a rack is 50. */
const ANSWERS_MAX = 1_024

/**
 * Roll-calls that are over and not to be taken up again. A copy may come late over an edge that is slower than a
 * roll-call is long; passed on, it would come back over that edge for ever. At two a second these are minutes.
 */
const PAST_ROLL_CALLS = 512

type Answers = Extract<Message, { kind: 'answers' }>

export interface Voter {
  readonly node: string
  readonly serial: number
  /** This node's own answer about a subject; undefined while it cannot say, or is no observer of it. */
  answer(
    now: Millis,
    subject: string,
  ): Pick<Answer, 'incarnation' | 'opinion' | 'channel' | 'forMs' | 'reason'> | undefined
  observes(subject: string): boolean
  /** Whether it has just found itself unfit to judge others. */
  isDegraded(): boolean
}

export interface Following {
  /** Name of an aggregator. */
  readonly leader: string
  /** Of its latest roll-call, monotonic. */
  readonly heardAt: Millis
}

interface OpenCall {
  readonly call: SignedRollCall
  readonly parents: string[]
  readonly closesAt: Millis
  readonly unanswered: Set<string>
  /** By voter and subject. `proved`: its signature was checked, so nothing takes its place. */
  readonly known: Map<string, { readonly signature: Signature; readonly proved: boolean }>
  present: Uint8Array
  degraded: Uint8Array
  unsent: SignedAnswer[]
  presentSent: Uint8Array
  flushAt: Millis
}

export class RollCallDesk {
  readonly #voter: Voter
  readonly #membership: Membership
  readonly #keyring: Keyring
  readonly #timing: Timing
  readonly #open = new Map<string, OpenCall>()
  readonly #past = new Set<string>()
  /** The latest of those who called the roll to lead. */
  #leader: Pick<RollCall, 'leader' | 'term'> = { leader: '', term: 0 }
  #ledAt: Millis | undefined
  /** Of the latest term, also of a canvass: nobody of an earlier one is answered. */
  #latest: SignedRollCall | undefined
  #uplinks: readonly string[] = []

  constructor(voter: Voter, membership: Membership, keyring: Keyring, timing: Timing) {
    this.#voter = voter
    this.#membership = membership
    this.#keyring = keyring
    this.#timing = timing
  }

  /** Of the latest leader; 0 before the first. */
  get term(): number {
    return this.#leader.term
  }

  /** Another name for each leader and term. */
  get leader(): string {
    return `${this.#leader.leader} ${this.#leader.term}`
  }

  /** Who led when last somebody did who called the roll, and when that was; undefined before the first roll-call. */
  get follows(): Following | undefined {
    return this.#ledAt === undefined ? undefined : { leader: this.#leader.leader, heardAt: this.#ledAt }
  }

  /** The peers that brought the latest roll-call, the first of them first: the ways to the leader. */
  get uplinks(): readonly string[] {
    return this.#uplinks
  }

  /** A question arrived. Returns what to pass on, or why it was dropped; empty when it was known. */
  receive(now: Millis, from: string, call: SignedRollCall, links: Links): readonly Effect[] {
    const { nonce, subjects, leader, term, canvass } = call.rollCall
    const known = this.#open.get(nonce)
    if (known !== undefined) {
      if (known.parents.length < UPLINKS && !known.parents.includes(from)) known.parents.push(from)
      return []
    }
    if (this.#past.has(nonce)) return []
    const dropped: Effect = { kind: 'dropped', why: 'roll-call', from }
    if (!this.#isAuthentic(call) || this.#open.size >= OPEN_ROLL_CALLS) return [dropped]
    const later = this.#latest
    if (later !== undefined && term < later.rollCall.term) {
      // It must learn of the later term: its own record of them may be lost.
      return this.#membership.isAggregator(from) ? [dropped, ...sendTo([from], later)] : [dropped]
    }
    this.#latest = call
    const me = this.#membership.positionOf(this.#voter.node)
    const nobody = emptyPresence(this.#membership.roster.members.length)
    const parents = [from]
    // Whoever only canvasses may never lead: what is said goes on to who does.
    if (canvass === undefined) {
      this.#leader = { leader, term }
      this.#ledAt = now
      this.#uplinks = parents
    }
    this.#open.set(nonce, {
      call,
      parents,
      closesAt: now + this.#timing.rollCallMs,
      unanswered: new Set(subjects.map((subject) => subject.node).filter((node) => this.#voter.observes(node))),
      known: new Map(),
      present: me === undefined ? nobody : withMember(nobody, me),
      degraded: me === undefined || !this.#voter.isDegraded() ? NOBODY : withMember(nobody, me),
      presentSent: nobody,
      unsent: [],
      flushAt: now,
    })
    // The edges on which each node is reached by its ten observers are enough; over all of them it would come twenty times.
    const aggregators = links.peers.filter((peer) => peer !== leader && this.#membership.isAggregator(peer))
    const peers = new Set([...links.openedByMe, ...aggregators])
    peers.delete(from)
    return sendTo([...peers], call)
  }

  /** Answers of others on their way to the leader, which checks them; here they are only sorted. */
  relay(now: Millis, { nonce, present, degraded, answers }: Answers): void {
    const open = this.#open.get(nonce)
    if (open === undefined) return
    open.present = mergePresence(open.present, present)
    if (degraded.length > 0) {
      open.degraded = mergePresence(emptyPresence(this.#membership.roster.members.length), open.degraded)
      open.degraded = mergePresence(open.degraded, degraded)
    }
    for (const signed of answers) {
      if (this.#isNews(open, signed)) open.unsent.push(signed)
    }
    open.flushAt = Math.min(open.flushAt, now + this.#timing.rollCallBatchMs)
  }

  tick(now: Millis): readonly Effect[] {
    if (this.#open.size === 0) return NOTHING
    const effects: Effect[] = []
    for (const [nonce, open] of this.#open) {
      for (const subject of open.unanswered) this.#answer(now, open, subject)
      if (now >= open.flushAt) effects.push(...this.#flush(now, nonce, open))
      if (now >= open.closesAt) this.#close(nonce)
    }
    return effects
  }

  nextAt(now: Millis): Millis {
    let next = Number.POSITIVE_INFINITY
    for (const { flushAt, closesAt } of this.#open.values()) {
      if (flushAt > now && flushAt < next) next = flushAt
      if (closesAt > now && closesAt < next) next = closesAt
    }
    return next
  }

  /** Another roster is in force: what was asked on the one before is over. */
  advanced(): void {
    for (const nonce of [...this.#open.keys()]) this.#close(nonce)
  }

  #isAuthentic({ rollCall, signature }: SignedRollCall): boolean {
    const { leader, epoch } = rollCall
    if (!this.#membership.isAggregator(leader)) return false
    if (epoch !== this.#membership.roster.epoch) return false
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
    if (!wasAsked || !this.#membership.observersOf(subject).has(voter)) return false
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
    const { present, degraded } = open
    const answers = open.unsent.slice(0, ANSWERS_MAX)
    open.unsent = open.unsent.slice(ANSWERS_MAX)
    open.flushAt = open.unsent.length > 0 ? now + this.#timing.rollCallBatchMs : Number.POSITIVE_INFINITY
    if (answers.length === 0 && samePresence(present, open.presentSent)) return []
    open.presentSent = present
    if (now >= open.closesAt) return []
    // Nobody's answer is needed at once where nothing was asked.
    const ways = open.call.rollCall.subjects.length === 0 ? 1 : PARENTS
    const message: Message = { kind: 'answers', nonce, present, degraded, answers }
    return open.parents.slice(0, ways).map((to) => ({ kind: 'send', to, via: 'any', message }))
  }
}

const NOTHING: readonly Effect[] = []

const NOBODY = new Uint8Array(0)

/** One message for all of them, which is encoded once. */
function sendTo(peers: readonly string[], call: SignedRollCall): readonly Effect[] {
  const message: Message = { kind: 'roll-call', call }
  return peers.map((to) => ({ kind: 'send', to, via: 'any', message }))
}

function isSame(a: Signature, b: Signature): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
