/** A leader driven by hand: the test says who accuses whom, and what each observer answers. */
import { Leader } from '../../mesh/core/leader.ts'
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

export type Said = Partial<Pick<Accusation, 'opinion' | 'channel' | 'silentMs' | 'incarnation'>>

export interface LeaderSetting {
  readonly roster: Roster
  readonly rosterHash?: string
  readonly standing?: readonly Standing[]
  /** Keys by node name; hashes that stand in for signatures unless given. */
  readonly keyringOf?: (node: string) => Keyring
}

export class DrivenLeader {
  readonly roster: Roster
  readonly leader: Leader
  readonly notices: Notice[] = []
  readonly calls: SignedRollCall[] = []
  readonly certificates: Certificate[] = []
  readonly dropped: string[] = []
  now = 0
  serialOf = (_node: string): number => 1
  readonly #keyringOf: (node: string) => Keyring
  #nonces = 0

  constructor({ roster, rosterHash = 'ab'.repeat(32), standing = [], keyringOf = standInKeyring }: LeaderSetting) {
    this.roster = roster
    this.#keyringOf = keyringOf
    const nonce = () => (0xabc000 + this.#nonces++).toString(16)
    const keyring = keyringOf(LEADER)
    this.leader = new Leader({
      node: LEADER,
      term: 3,
      roster,
      rosterHash,
      keyring,
      timing: DEFAULT_TIMING,
      nonce,
      standing,
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

  /** The roll-call put last. Throws when there was none. */
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
  ): this {
    const { members } = this.roster
    const bits = present.reduce(
      (bitmap, node) =>
        withMember(
          bitmap,
          members.findIndex((member) => member.node === node),
        ),
      emptyPresence(members.length),
    )
    return this.#note(this.leader.answered(nonce, bits, answers))
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

  #note(effects: readonly Effect[]): this {
    for (const effect of effects) {
      if (effect.kind === 'notice') this.notices.push(effect.notice)
      if (effect.kind === 'commit') this.certificates.push(effect.certificate)
      if (effect.kind === 'dropped') this.dropped.push(effect.from)
      if (effect.kind === 'send' && effect.message.kind === 'roll-call') this.calls.push(effect.message.call)
    }
    return this
  }
}
