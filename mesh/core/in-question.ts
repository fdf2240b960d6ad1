/** Who is in question at this moment: silent to more than a stray observer, or standing condemned. */
import type { Ballots } from './ballots.ts'
import type { Conditions } from './conditions.ts'
import type { Membership } from './membership.ts'
import { vetoOf } from './quorum.ts'

export class InQuestion {
  readonly #membership: Membership
  readonly #conditions: Conditions
  readonly #ballots: Ballots

  constructor(membership: Membership, conditions: Conditions, ballots: Ballots) {
    this.#membership = membership
    this.#conditions = conditions
    this.#ballots = ballots
  }

  /** Silent to at least L observers: more than a stray one, or two that lie. */
  silentToFew(): readonly string[] {
    return [...this.#conditions.suspected].filter(
      (subject) => this.#ballots.about(subject, 'NodeDown', 'HostHung').length >= this.few(subject),
    )
  }

  /** What the brake counts, but for who is absent from a roll-call. */
  all(): readonly string[] {
    return [...this.silentToFew(), ...this.#conditions.standing.keys()]
  }

  /** L of a subject, docs/protocol.md section 5. */
  few(subject: string): number {
    return vetoOf(this.#membership.observersOf(subject).size)
  }
}
