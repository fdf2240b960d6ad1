/** Which observers say of a subject that they could convict it: said by each observer of all its subjects, asked by subject. */

export class Watchers {
  readonly #subjectsOf = new Map<string, readonly string[]>()
  /** Observers and when each said so last, on this machine's clock. */
  readonly #watchersOf = new Map<string, Map<string, number>>()

  /** What an observer says now stands for all that it said. */
  take(observer: string, subjects: readonly string[], atMs: number): void {
    const now = new Set(subjects)
    for (const subject of this.#subjectsOf.get(observer) ?? []) if (!now.has(subject)) this.#drop(observer, subject)
    for (const subject of now) {
      const known = this.#watchersOf.get(subject)
      if (known?.has(observer)) known.set(observer, atMs)
      else this.#watchersOf.set(subject, new Map([...(known ?? []), [observer, atMs]]))
    }
    this.#subjectsOf.set(observer, [...now])
  }

  /** Another object once others watch it, the same while they only say so again. */
  of(subject: string): ReadonlyMap<string, number> {
    return this.#watchersOf.get(subject) ?? NOBODY
  }

  /** Forgets what observers said that are gone. */
  retain(isMember: (node: string) => boolean): void {
    for (const [observer, subjects] of this.#subjectsOf) {
      if (isMember(observer)) continue
      for (const subject of subjects) this.#drop(observer, subject)
      this.#subjectsOf.delete(observer)
    }
  }

  #drop(observer: string, subject: string): void {
    const others = [...this.of(subject)].filter(([node]) => node !== observer)
    if (others.length === 0) this.#watchersOf.delete(subject)
    else this.#watchersOf.set(subject, new Map(others))
  }
}

const NOBODY: ReadonlyMap<string, number> = new Map()
