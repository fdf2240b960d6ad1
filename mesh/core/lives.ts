/** The latest life of each member that the leader has heard of. */
import type { Incarnation } from './model.ts'
import { compareIncarnations } from './model.ts'

const NO_LIFE: Incarnation = { serial: 0, boot: 0, refutations: 0 }

export class Lives {
  readonly #latest = new Map<string, Incarnation>()

  of(subject: string): Incarnation {
    return this.#latest.get(subject) ?? NO_LIFE
  }

  /** False for what is no news. */
  heard(subject: string, incarnation: Incarnation): boolean {
    const known = this.#latest.get(subject)
    if (known !== undefined && compareIncarnations(incarnation, known) <= 0) return false
    this.#latest.set(subject, incarnation)
    return true
  }

  /** Whether the subject is known to have begun a later life than this one: not only to have contradicted a verdict in it. */
  isSucceeded(subject: string, { serial, boot }: Incarnation): boolean {
    const life = this.#latest.get(subject)
    return life !== undefined && (life.serial !== serial || life.boot !== boot)
  }

  /** Forgets whoever is no member any more. */
  retain(isMember: (node: string) => boolean): void {
    for (const node of this.#latest.keys()) if (!isMember(node)) this.#latest.delete(node)
  }
}
