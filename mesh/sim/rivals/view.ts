/** What one member holds of all others, and random ones among them. */
import type { Claim, Snapshot, State } from './claim.ts'

/** Everybody is known, alive, from the start. */
const FIRST_INCARNATION = 1
const FORGOTTEN_INCARNATION = 0

interface Entry {
  state: State
  incarnation: number
  since: number
}

export class View {
  readonly #self: number
  readonly #random: () => number
  readonly #entries: readonly Entry[]

  constructor(self: number, members: number, random: () => number) {
    this.#self = self
    this.#random = random
    this.#entries = Array.from({ length: members }, () => ({
      state: 'alive' as const,
      incarnation: FIRST_INCARNATION,
      since: 0,
    }))
  }

  get size(): number {
    return this.#entries.length
  }

  /** Throws for a member that does not exist. */
  of(member: number): Readonly<Entry> {
    return this.#find(member)
  }

  set(member: number, state: State, incarnation: number, now: number): void {
    const entry = this.#find(member)
    if (entry.state !== state) entry.since = now
    entry.state = state
    entry.incarnation = incarnation
  }

  /** Forgets who has been dead for longer than this, ms. */
  forget(deadForMs: number, now: number): void {
    for (const entry of this.#entries) {
      if (entry.state !== 'dead' || now - entry.since <= deadForMs) continue
      entry.state = 'gone'
      entry.incarnation = FORGOTTEN_INCARNATION
    }
  }

  snapshot(): Snapshot {
    const claims: Claim[] = []
    for (const [subject, { state, incarnation }] of this.#entries.entries()) {
      if (state !== 'gone') claims.push({ subject, state, incarnation, from: this.#self })
    }
    return claims
  }

  /** Up to `count` different others for whom `accept` holds; fewer when they are hard to find. */
  pick(count: number, accept: (entry: Readonly<Entry>, member: number) => boolean): readonly number[] {
    const picked: number[] = []
    // As memberlist does: so many draws are enough to find who is there, and bounded when there is nobody.
    for (let draw = 0; draw < 3 * this.size && picked.length < count; draw++) {
      const member = Math.floor(this.#random() * this.size)
      if (member === this.#self || picked.includes(member) || !accept(this.#find(member), member)) continue
      picked.push(member)
    }
    return picked
  }

  #find(member: number): Entry {
    const entry = this.#entries[member]
    if (entry === undefined) throw new Error(`there is no member ${member}`)
    return entry
  }
}
