/**
 * Hosts that fall silent together, a rack's for one, do not become candidates at the same instant: their observers beat out
 * of step. The first of them waits a moment for those that are about to follow, so that they are one question and one batch.
 * Where nobody is about to, nobody waits.
 */
import type { Candidate } from './candidates.ts'
import type { Millis } from './model.ts'

/** What a candidate waits at most. Observers hint to each other, so all votes about one subject come within some 30 ms. */
const WAIT_MS = 150

export class Gathering {
  #since: Millis | undefined

  /** The candidates to ask about now: none while others may still join them. `coming`: those lately come into question. */
  gather(now: Millis, candidates: readonly Candidate[], coming: readonly string[]): readonly Candidate[] {
    const since = this.#since ?? now
    const isComplete = coming.every((node) => candidates.some(({ subject }) => subject === node))
    const waits = candidates.length > 0 && !isComplete && now - since < WAIT_MS
    this.#since = waits ? since : undefined
    return waits ? [] : candidates
  }

  /** When the wait is over; Infinity when nobody waits. */
  get endsAt(): Millis {
    return this.#since === undefined ? Number.POSITIVE_INFINITY : this.#since + WAIT_MS
  }
}
