/** What the leader currently holds of observers' accusations: one vote an observer and subject, for a limited time. */
import type { Accusation, Incarnation, Millis, Opinion } from './model.ts'
import { compareIncarnations, formatIncarnation } from './model.ts'

const NO_LIFE: Incarnation = { serial: 0, boot: 0, refutations: 0 }

export interface Ballot {
  readonly voter: string
  readonly accusation: Accusation
  readonly heardAt: Millis
}

export class Ballots {
  readonly #ttlMs: Millis
  readonly #bySubject = new Map<string, Map<string, Ballot>>()

  constructor(ttlMs: Millis) {
    this.#ttlMs = ttlMs
  }

  cast(now: Millis, voter: string, accusation: Accusation): void {
    const { subject } = accusation
    const ballots = this.#bySubject.get(subject) ?? new Map<string, Ballot>()
    ballots.set(voter, { voter, accusation, heardAt: now })
    this.#bySubject.set(subject, ballots)
  }

  expire(now: Millis): void {
    for (const [subject, ballots] of this.#bySubject) {
      for (const [voter, { heardAt }] of ballots) if (now - heardAt >= this.#ttlMs) ballots.delete(voter)
      if (ballots.size === 0) this.#bySubject.delete(subject)
    }
  }

  subjects(): readonly string[] {
    return [...this.#bySubject.keys()]
  }

  /** Ballots about a subject; with `opinions`, only those. */
  about(subject: string, ...opinions: readonly Opinion[]): readonly Ballot[] {
    const ballots = [...(this.#bySubject.get(subject)?.values() ?? [])]
    return opinions.length === 0 ? ballots : ballots.filter(({ accusation }) => opinions.includes(accusation.opinion))
  }

  /**
   * As `about`, but only those of the life that most accusers mean, the latest of equals. A life that one accuser has made
   * up must not draw the question away from the one that the others saw fall silent.
   */
  aboutOneLife(subject: string, ...opinions: readonly Opinion[]): readonly Ballot[] {
    const lives = new Map<string, Ballot[]>()
    for (const ballot of this.about(subject, ...opinions)) {
      const life = formatIncarnation(ballot.accusation.incarnation)
      lives.set(life, [...(lives.get(life) ?? []), ballot])
    }
    const lifeOf = (ballots: readonly Ballot[]) => ballots[0]?.accusation.incarnation ?? NO_LIFE
    const [most] = [...lives.values()].toSorted(
      (a, b) => b.length - a.length || compareIncarnations(lifeOf(b), lifeOf(a)),
    )
    return most ?? []
  }

  /** When the next of a subject's accusers will have heard nothing of it for `ms`; Infinity when all have, or there is none. */
  silentForAt(now: Millis, subject: string, ms: Millis): Millis {
    // A moment later, since at that very one the sum of fractions may fall just short.
    const times = this.about(subject, 'HostHung', 'NodeDown').map((ballot) => now + ms - silentFor(ballot, now) + 1)
    return Math.min(...times.filter((time) => time > now))
  }

  nextAt(now: Millis): Millis {
    const times = [...this.#bySubject.values()].flatMap((ballots) =>
      [...ballots.values()].map(({ heardAt }) => heardAt + this.#ttlMs),
    )
    return Math.min(...times.filter((time) => time > now))
  }
}

/** How long the subject has been silent to this voter by now. */
export function silentFor(ballot: Ballot, now: Millis): Millis {
  return ballot.accusation.silentMs + (now - ballot.heardAt)
}
