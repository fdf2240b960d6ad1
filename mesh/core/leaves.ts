/** Nodes that said they would stop for a while. They do not count as live members meanwhile, and nobody is alarmed. */
import type { Notice } from './message.ts'
import type { Incarnation, Leave, Millis } from './model.ts'
import { compareIncarnations } from './model.ts'

interface Absent {
  readonly incarnation: Incarnation
  readonly untilMs: Millis
}

export class Leaves {
  readonly #absent = new Map<string, Absent>()
  readonly #lastLeft = new Map<string, Incarnation>()

  has(node: string): boolean {
    return this.#absent.has(node)
  }

  /** `latest`: the latest life of the node that was heard of. An earlier one has left for good. */
  left(now: Millis, subject: string, { incarnation, reason, forMs }: Leave, latest: Incarnation): readonly Notice[] {
    if (compareIncarnations(incarnation, latest) < 0) return []
    // A life leaves once: saying so again makes its absence no longer.
    const before = this.#lastLeft.get(subject)
    if (before !== undefined && compareIncarnations(incarnation, before) <= 0) return []
    this.#lastLeft.set(subject, incarnation)
    this.#absent.set(subject, { incarnation, untilMs: now + forMs })
    return [{ kind: 'left', subject, why: reason }]
  }

  /** A later life of the node was heard of. */
  returned(subject: string, incarnation: Incarnation): readonly Notice[] {
    const absent = this.#absent.get(subject)
    if (absent === undefined || compareIncarnations(incarnation, absent.incarnation) <= 0) return []
    this.#absent.delete(subject)
    return [{ kind: 'returned', subject, why: 'it is back' }]
  }

  /** Whose time is over counts as a live member again, whether it is back or not. */
  expire(now: Millis): readonly Notice[] {
    const overdue = [...this.#absent].filter(([, { untilMs }]) => untilMs <= now)
    for (const [subject] of overdue) this.#absent.delete(subject)
    return overdue.map(([subject]) => ({ kind: 'returned', subject, why: 'the time for which it left is over' }))
  }

  /** Forgets whoever is no member any more. */
  retain(isMember: (node: string) => boolean): void {
    for (const kept of [this.#absent, this.#lastLeft]) {
      for (const node of kept.keys()) if (!isMember(node)) kept.delete(node)
    }
  }

  nextAt(now: Millis): Millis {
    let next = Number.POSITIVE_INFINITY
    for (const { untilMs } of this.#absent.values()) if (untilMs > now) next = Math.min(next, untilMs)
    return next
  }
}
