/**
 * What members hold of each other, and what a comparison needs to know of it: when somebody, half and all of them held a
 * member dead, and whom they held dead wrongly.
 */

/** One member changes its mind about another, at virtual time `at`, ms. */
export interface Opinion {
  readonly at: number
  readonly by: string
  readonly subject: string
  readonly state: 'suspect' | 'dead' | 'alive'
}

/** Virtual times, ms; undefined when it did not come to that. */
export interface Detection {
  readonly first: number | undefined
  readonly half: number | undefined
  readonly all: number | undefined
}

export class Opinions {
  readonly #bySubject = new Map<string, Opinion[]>()

  readonly hear = (opinion: Opinion): void => {
    const heard = this.#bySubject.get(opinion.subject)
    if (heard === undefined) this.#bySubject.set(opinion.subject, [opinion])
    else heard.push(opinion)
  }

  /** When, from `since` on, any, half and all of `observers` at once held `subject` dead for the first time. */
  detectionOf(subject: string, since: number, observers: ReadonlySet<string>): Detection {
    const holders = new Set<string>()
    const reached: { -readonly [key in keyof Detection]: number | undefined } = {
      first: undefined,
      half: undefined,
      all: undefined,
    }
    const look = (at: number) => {
      if (holders.size === 0) return
      reached.first ??= at
      if (holders.size * 2 >= observers.size) reached.half ??= at
      if (holders.size === observers.size) reached.all ??= at
    }
    const heard = (this.#bySubject.get(subject) ?? []).filter(({ by }) => observers.has(by) && by !== subject)
    for (const { at, by, state } of heard) {
      if (at >= since) look(since)
      if (state === 'dead') holders.add(by)
      else holders.delete(by)
      if (at >= since) look(at)
    }
    look(since)
    return reached
  }

  /**
   * Each time that one of `observers` came to hold one of `subjects` dead. With both the members that were never faulty,
   * these are false deaths; with both those that were never so much as slowed down, Lifeguard's FP-.
   */
  deaths(subjects: ReadonlySet<string>, observers: ReadonlySet<string>): readonly Opinion[] {
    return [...subjects]
      .flatMap((subject) => this.#bySubject.get(subject) ?? [])
      .filter(({ by, state }) => state === 'dead' && observers.has(by))
      .toSorted((a, b) => a.at - b.at)
  }
}
