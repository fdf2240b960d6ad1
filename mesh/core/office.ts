/**
 * An aggregator's part in leading the mesh. It stands by; told to, it asks whom it would reach (a canvass), or leads.
 * Who is to lead is decided elsewhere (mesh/election/).
 */
import { Canvass } from './canvass.ts'
import type { CoreOptions } from './core-options.ts'
import { DownList, standingIn } from './down-list.ts'
import type { Gossip } from './gossip.ts'
import { Leader } from './leader.ts'
import type { Membership } from './membership.ts'
import type { Effect, Input, Message } from './message.ts'
import type { DownNotice, Keyring, Millis, SignedRollCall, Standing } from './model.ts'
import type { Timing } from './timing.ts'

export interface OfficeOptions extends Omit<NonNullable<CoreOptions['aggregator']>, 'saidBefore'> {
  readonly node: string
  readonly membership: Membership
  readonly keyring: Keyring
  readonly timing: Timing
  /** What this node has heard: the down lists of all aggregators, and which members have left. */
  readonly heard: Pick<Gossip, 'downNotices' | 'leaves'>
}

/** What concerns an aggregator alone. */
export type OfficeInput = Extract<Input, { kind: 'canvass' | 'lead' | 'standBy' | 'heartbeat' | 'askAfresh' }>

export class Office {
  readonly #options: OfficeOptions
  #rosterHash: string
  #leader: Leader | undefined
  #downList: DownList | undefined
  #canvass: Canvass | undefined
  /** The latest that anybody called the roll under. */
  #term = 0

  constructor(options: OfficeOptions) {
    this.#options = options
    this.#rosterHash = options.rosterHash
  }

  /** While this aggregator leads. */
  get leader(): Leader | undefined {
    return this.#leader
  }

  /** `peers` are the nodes a roll-call can be sent to. */
  take(now: Millis, input: OfficeInput, peers: readonly string[]): readonly Effect[] {
    switch (input.kind) {
      case 'canvass':
        return this.#ask(now, input.term, peers)
      case 'lead':
        this.#lead(now, input.term, input.standing)
        return []
      case 'standBy':
        this.#canvass = undefined
        this.#leader = undefined
        this.#downList = undefined
        return []
      case 'heartbeat':
        this.#leader?.heartbeat(input.subject, input.renewed)
        return []
      case 'askAfresh':
        this.#leader?.conditions.reopen(input.subject)
        // Nothing is known of its Lease; told of that, the leader looks at everything again.
        this.#leader?.heartbeat(input.subject, undefined)
        return []
    }
  }

  /** A later roll-call, of another aggregator or an earlier life: it is told of once, and neither answered nor passed on. */
  called(from: string, { rollCall, signature }: SignedRollCall): readonly Effect[] {
    const { leader: by, term } = rollCall
    const { membership, keyring } = this.#options
    if (term <= this.#term) return []
    if (!membership.isAggregator(by) || !keyring.verify(by, 'roll-call', rollCall, signature)) {
      return [{ kind: 'dropped', why: 'roll-call', from }]
    }
    this.#term = term
    return [{ kind: 'called', by, term }]
  }

  /** A later roster is in force. */
  advanced(rosterHash: string): void {
    this.#rosterHash = rosterHash
    this.#canvass = undefined
    this.#leader?.advanced(rosterHash)
  }

  answered(message: Extract<Message, { kind: 'answers' }>): readonly Effect[] {
    if (this.#canvass?.nonce === message.nonce) this.#canvass.answered(message)
    return this.#leader?.answered(message) ?? []
  }

  tick(now: Millis, peers: readonly string[]): Work {
    if (this.#leader === undefined) return { effects: this.#closeCanvass(now), notices: [] }
    const effects = this.#leader.tick(now, peers)
    return { effects, notices: this.#downList?.tick(now, effects) ?? [] }
  }

  nextAt(now: Millis): Millis {
    const { closesAt } = this.#canvass ?? { closesAt: Number.POSITIVE_INFINITY }
    const { nextAt } = this.#downList ?? { nextAt: Number.POSITIVE_INFINITY }
    return Math.min(closesAt, nextAt, this.#leader?.nextAt(now) ?? Number.POSITIVE_INFINITY)
  }

  #ask(now: Millis, term: number, peers: readonly string[]): readonly Effect[] {
    const { node, membership, keyring, timing, nonce, heard } = this.#options
    const down = new Set(standingIn(heard.downNotices(now), []).map(({ subject }) => subject))
    const live = membership.roster.members.map((member) => member.node).filter((member) => !down.has(member))
    const closesAt = now + timing.rollCallMs
    const canvass = new Canvass({ node, term, nonce: nonce(), membership, keyring, live, closesAt })
    this.#canvass = canvass
    this.#term = Math.max(this.#term, term)
    return peers.map((to) => ({ kind: 'send', to, via: 'any', message: canvass.question }))
  }

  #lead(now: Millis, term: number, onRecord: readonly Standing[]): void {
    const { heard, timing } = this.#options
    const standing = standingIn(heard.downNotices(now), onRecord)
    this.#canvass = undefined
    this.#term = Math.max(this.#term, term)
    this.#leader = new Leader(now, { ...this.#options, rosterHash: this.#rosterHash, term, standing })
    this.#downList = new DownList(now, this.#leader, timing.downNoticeTtlMs)
    // What it heard while it stood by is no news when members say it again.
    for (const { signed, ageMs } of heard.leaves(now)) {
      const { signer, body } = signed.statement
      if (body.kind === 'leave') this.#leader.left(now - ageMs, signer, body)
    }
  }

  #closeCanvass(now: Millis): readonly Effect[] {
    const outcome = this.#canvass?.outcome(now)
    if (outcome === undefined) return []
    this.#canvass = undefined
    return [outcome]
  }
}

/** What a step of an aggregator gave; `notices` are to be said to all. */
interface Work {
  readonly effects: readonly Effect[]
  readonly notices: readonly DownNotice[]
}
