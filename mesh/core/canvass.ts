/**
 * A roll-call by an aggregator that does not lead yet: nobody is asked about, only who answers counts. Its term is later
 * than any before, so from then on whoever answered it answers no earlier leader.
 */
import type { Membership } from './membership.ts'
import type { Effect, Message } from './message.ts'
import type { Keyring, Millis, RollCall } from './model.ts'
import { OpenRollCall } from './open-roll-call.ts'
import { isMajority } from './reach.ts'

export interface CanvassOptions {
  readonly node: string
  readonly term: number
  readonly nonce: string
  readonly membership: Membership
  readonly keyring: Keyring
  /** Members that count. */
  readonly live: readonly string[]
  readonly closesAt: Millis
}

export class Canvass {
  readonly nonce: string
  readonly closesAt: Millis
  /** What is sent to everybody this aggregator has an edge with. */
  readonly question: Message
  readonly #term: number
  readonly #live: readonly string[]
  readonly #keyring: Keyring
  readonly #open: OpenRollCall

  constructor({ node: leader, term, nonce, membership, keyring, live, closesAt }: CanvassOptions) {
    const { epoch } = membership.roster
    const rollCall: RollCall = { leader, epoch, term, nonce, subjects: [], canvass: true }
    const call = { rollCall, signature: keyring.sign('roll-call', rollCall) }
    this.nonce = nonce
    this.closesAt = closesAt
    this.question = { kind: 'roll-call', call }
    this.#term = term
    this.#live = live
    this.#keyring = keyring
    this.#open = new OpenRollCall(call, new Map(), membership, () => false, closesAt)
  }

  answered(message: Extract<Message, { kind: 'answers' }>): void {
    this.#open.answered(message, this.#keyring)
  }

  /** How it ended; undefined while it may still come to more than half. */
  outcome(now: Millis): Effect | undefined {
    const live = this.#live.length
    const present = this.#live.filter((node) => this.#open.isPresent(node)).length
    const holds = isMajority(present, live)
    if (!holds && now < this.closesAt) return undefined
    return { kind: 'reach', term: this.#term, present, live, holds }
  }
}
