/**
 * Signs of life of a subject that a roll-call would convict. Too few to veto they may be a lie, or the only packets that got
 * through a link which loses most: at 80 % loss seven connects go unanswered by more than half of the observers. So a
 * single one makes the leader ask again before it commits, and all that were seen meanwhile count together.
 */
import type { Millis } from './model.ts'

/** Covers a roll-call and the one that repeats it a second later. */
const REMEMBERED_FOR_MS = 3_000
/** For a subject whose links are known to be at fault any sign within this time stands against a verdict. */
export const FAULTY_LINK_QUIET_MS = 10_000

export class SignsOfLife {
  readonly #seenAt = new Map<string, Map<string, Millis>>()
  readonly #carriedAt = new Map<string, Millis>()

  seen(now: Millis, subject: string, voters: readonly string[]): void {
    if (voters.length === 0) return
    const seenAt = this.#seenAt.get(subject) ?? new Map<string, Millis>()
    this.#seenAt.set(subject, seenAt)
    for (const voter of voters) seenAt.set(voter, now)
  }

  /** Why the answers that would convict are not enough; undefined when they are. `few`: so many signs are a veto. */
  objection(now: Millis, subject: string, few: number, hasLinkFault: boolean): string | undefined {
    const within = hasLinkFault ? FAULTY_LINK_QUIET_MS : REMEMBERED_FOR_MS
    const signs = [...(this.#seenAt.get(subject) ?? [])].filter(([, at]) => now - at < within)
    const before = this.#carriedAt.get(subject)
    this.#carriedAt.set(subject, now)
    if (signs.length === 0) return undefined
    const names = signs.map(([voter]) => voter).join(', ')
    if (hasLinkFault) return `its links are at fault, and its host answered ${names} in the last ${within / 1_000} s`
    if (signs.length >= few) return `its host answered ${names} in the last ${within / 1_000} s`
    const isRepeated = before !== undefined && now - before < REMEMBERED_FOR_MS
    return isRepeated ? undefined : `its host answered ${names}: asking again`
  }

  forget(subject: string): void {
    this.#seenAt.delete(subject)
    this.#carriedAt.delete(subject)
  }
}
