/**
 * How a later roster reaches everybody: a roll-call of a later epoch tells that there is one, whoever brought it is asked
 * for it, and the roll-call waits for it. So an epoch spreads as fast as the first roll-call on it. An aggregator that would
 * lead seeks one itself.
 */
import type { Effect } from './message.ts'
import type { SignedRollCall } from './model.ts'

interface Held {
  readonly from: string
  readonly call: SignedRollCall
}

/** Roll-calls that wait for a roster: the latest from each of a few peers is enough to find the way back. */
const HELD_MAX = 4

export class RosterExchange {
  #epoch: number
  #bytes: Uint8Array
  #held: Held[] = []
  /** What has been asked for, and not come yet: at most one a peer. */
  readonly #asked = new Set<string>()
  /** Asked whether there is one: whoever has none is silent, so this says nothing of what was asked for otherwise. */
  readonly #sought = new Set<string>()

  constructor(epoch: number, bytes: Uint8Array) {
    this.#epoch = epoch
    this.#bytes = bytes
  }

  /** A roll-call of a later epoch. Whether it is a true one is seen when the roster is here. */
  hold(from: string, call: SignedRollCall): readonly Effect[] {
    this.#held = [...this.#held.filter((held) => held.from !== from), { from, call }].slice(-HELD_MAX)
    if (this.#asked.has(from)) return []
    this.#asked.add(from)
    return [{ kind: 'send', to: from, via: 'any', message: { kind: 'want-roster', epoch: call.rollCall.epoch } }]
  }

  /** Asks that peer for any roster later than the one in force. */
  seek(peer: string | undefined): readonly Effect[] {
    if (peer === undefined) return []
    this.#sought.add(peer)
    return [{ kind: 'send', to: peer, via: 'any', message: { kind: 'want-roster', epoch: this.#epoch + 1 } }]
  }

  wanted(from: string, epoch: number): readonly Effect[] {
    if (epoch > this.#epoch) return []
    return [{ kind: 'send', to: from, via: 'any', message: { kind: 'roster', epoch: this.#epoch, bytes: this.#bytes } }]
  }

  /** Only what was asked for: nobody is made to check rosters at a peer's pleasure. */
  offered(from: string, epoch: number, bytes: Uint8Array): readonly Effect[] {
    const isAnswer = this.#asked.delete(from) || this.#sought.delete(from)
    if (!isAnswer || epoch <= this.#epoch) return [{ kind: 'dropped', why: 'roster', from }]
    return [{ kind: 'rosterOffered', from, bytes }]
  }

  /** A later roster is in force. Returns the roll-calls that waited for it. */
  advanced(epoch: number, bytes: Uint8Array): readonly Held[] {
    this.#epoch = epoch
    this.#bytes = bytes
    this.#asked.clear()
    this.#sought.clear()
    const held = this.#held
    this.#held = []
    return held.filter(({ call }) => call.rollCall.epoch <= epoch)
  }
}
