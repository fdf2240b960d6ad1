/** A leader driven by hand: the test says who accuses whom, and what each observer answers. */
import { Leader } from '../../mesh/core/leader.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect, Notice } from '../../mesh/core/message.ts'
import type {
  Accusation,
  Answer,
  Certificate,
  Keyring,
  Roster,
  SignedAnswer,
  SignedRollCall,
  Standing,
} from '../../mesh/core/model.ts'
import { emptyPresence, withMember } from '../../mesh/core/presence.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { FIRST_LIFE, LEADER, standInKeyring } from './sample-mesh.ts'

export type Said = Partial<Pick<Accusation, 'opinion' | 'channel' | 'silentMs' | 'incarnation' | 'term'>>

export interface LeaderSetting {
  readonly roster: Roster
  readonly rosterHash?: string
  readonly standing?: readonly Standing[]
  /** Keys by node name; hashes that stand in for signatures unless given. */
  readonly keyringOf?: (node: string) => Keyring
  /** Whether there are Leases to be read before a commit; there are none unless given. */
  readonly heartbeats?: boolean
}

/** Of the leader that is driven. */
export const TERM = 3

export class DrivenLeader {
  readonly roster: Roster
  readonly leader: Leader
  readonly notices: Notice[] = []
  /** Roll-calls about candidates. */
  readonly calls: SignedRollCall[] = []
  /** Those that may convict nobody. */
  readonly idleCalls: SignedRollCall[] = []
  /** Leases that the leader wants to be read. */
  readonly readings: Extract<Effect, { kind: 'readHeartbeat' }>[] = []
  readonly certificates: Certificate[] = []
  readonly dropped: string[] = []
  now = 0
  serialOf = (_node: string): number => 1
  readonly #keyringOf: (node: string) => Keyring
  #nonces = 0

  constructor({
    roster,
    rosterHash = 'ab'.repeat(32),
    standing = [],
    keyringOf = standInKeyring,
    heartbeats = false,
  }: LeaderSetting) {
    this.roster = roster
    this.#keyringOf = keyringOf
    const nonce = () => (0xabc000 + this.#nonces++).toString(16)
    const keyring = keyringOf(LEADER)
    this.leader = new Leader(0, {
      node: LEADER,
      term: TERM,
      membership: new Membership(roster),
      rosterHash,
      keyring,
      timing: DEFAULT_TIMING,
      nonce,
      standing,
      heartbeats,
    })
  }

  observersOf(subject: string): readonly string[] {
    return ringOf(this.roster).observersOf(subject)
  }

  /** Accusations that are heard now. */
  accuse(subject: string, voters: readonly string[], said: Said = {}): this {
    const accusation = {
      kind: 'accusation',
      subject,
      epoch: this.roster.epoch,
      term: TERM,
      incarnation: FIRST_LIFE,
      opinion: 'NodeDown',
      channel: 'nothing',
      silentMs: 1_000,
      ...said,
    } as const
    for (const voter of voters) this.leader.accused(this.now, voter, accusation)
    return this
  }

  tick(ms: number): this {
    this.now = ms
    return this.#note(this.leader.tick(ms, ['contact']))
  }

  /** The roll-call about candidates put last. Throws when there was none. */
  get call(): SignedRollCall {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('no roll-call was put')
    return call
  }

  /** An answer to the roll-call put last, signed by its voter; `forge` changes it afterwards. */
  answer(subject: string, voter: string, said: Partial<Answer> = {}, forge: Partial<Answer> = {}): SignedAnswer {
    const { nonce, epoch, subjects } = this.call.rollCall
    const incarnation = subjects.find(({ node }) => node === subject)?.incarnation ?? FIRST_LIFE
    const silent = { opinion: 'NodeDown', channel: 'nothing', forMs: 1_400, reason: '' } as const
    const answer: Answer = {
      nonce,
      epoch,
      voter,
      voterSerial: this.serialOf(voter),
      subject,
      incarnation,
      ...silent,
      ...said,
    }
    return { answer: { ...answer, ...forge }, signature: this.#keyringOf(voter).sign('answer', answer) }
  }

  /** Brings answers, and the presence of some members, to the leader. */
  hears(
    answers: readonly SignedAnswer[],
    present: readonly string[] = this.everybody(),
    nonce = this.call.rollCall.nonce,
    degraded: readonly string[] = [],
  ): this {
    const bits = { present: this.#bitsOf(present), degraded: this.#bitsOf(degraded) }
    return this.#note(this.leader.answered({ kind: 'answers', nonce, ...bits, answers }))
  }

  /** Some members answer the roll-call that was put last without any candidate. */
  hearsIdle(present: readonly string[] = this.everybody(), degraded: readonly string[] = []): this {
    return this.hears([], present, this.idleCalls.at(-1)?.rollCall.nonce ?? '', degraded)
  }

  everybody(): readonly string[] {
    return this.roster.members.map(({ node }) => node)
  }

  /** All of a subject's observers that live accuse it, the leader calls, and they answer `said`. */
  convict(subject: string, at: number, said: Said & Partial<Answer> = {}): this {
    const observers = this.observersOf(subject).filter((node) => !this.leader.conditions.standing.has(node))
    this.now = at
    this.accuse(subject, observers, said).tick(at)
    return this.hears(observers.map((voter) => this.answer(subject, voter, said))).tick(at + DEFAULT_TIMING.rollCallMs)
  }

  noticed<K extends Notice['kind']>(kind: K): readonly Extract<Notice, { kind: K }>[] {
    return this.notices.filter((notice): notice is Extract<Notice, { kind: K }> => notice.kind === kind)
  }

  #put(call: SignedRollCall): void {
    const hasCandidates = this.noticed('rollCall').some(({ nonce }) => nonce === call.rollCall.nonce)
    if (hasCandidates) this.calls.push(call)
    else this.idleCalls.push(call)
  }

  #bitsOf(nodes: readonly string[]): Uint8Array {
    const positionOf = (node: string) => this.roster.members.findIndex((member) => member.node === node)
    return nodes.reduce((bits, node) => withMember(bits, positionOf(node)), emptyPresence(this.roster.members.length))
  }

  #note(effects: readonly Effect[]): this {
    for (const effect of effects) {
      if (effect.kind === 'notice') this.notices.push(effect.notice)
      if (effect.kind === 'commit') this.certificates.push(effect.certificate)
      if (effect.kind === 'dropped') this.dropped.push(effect.from)
      if (effect.kind === 'readHeartbeat') this.readings.push(effect)
      if (effect.kind === 'send' && effect.message.kind === 'roll-call') this.#put(effect.message.call)
    }
    return this
  }
}
