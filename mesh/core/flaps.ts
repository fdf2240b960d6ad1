/**
 * Nodes that keep coming and going: each further verdict within the memory doubles the beats for which the node must be
 * heard before it is called alive again (docs/protocol.md section 5), so that a flapping node stays marked.
 */
import type { Millis } from './model.ts'

export const RECOVER_BEATS_MAX = 60

/** A verdict this old is no flap any more. */
const REMEMBERED_FOR_MS = 3_600_000

export class Flaps {
  readonly #firstBeats: number
  readonly #verdictsAt = new Map<string, Millis[]>()

  /** `firstBeats`: what a first recovery takes. */
  constructor(firstBeats: number) {
    this.#firstBeats = firstBeats
  }

  convicted(now: Millis, subject: string): void {
    this.#verdictsAt.set(subject, [...this.#recent(now, subject), now])
  }

  /** Beats of renewed acks that the subject's recovery takes now. */
  recoverBeats(now: Millis, subject: string): number {
    const flaps = Math.max(0, this.#recent(now, subject).length - 1)
    return Math.min(RECOVER_BEATS_MAX, this.#firstBeats * 2 ** flaps)
  }

  /** Forgets whoever is no member any more. */
  retain(isMember: (node: string) => boolean): void {
    for (const node of this.#verdictsAt.keys()) if (!isMember(node)) this.#verdictsAt.delete(node)
  }

  #recent(now: Millis, subject: string): readonly Millis[] {
    return (this.#verdictsAt.get(subject) ?? []).filter((at) => now - at < REMEMBERED_FOR_MS)
  }
}
