/**
 * Whom this leader's roll-calls reach. One that reaches no more than half of the live members may be on the smaller side
 * of a cut: it marks nothing at once, and after three such roll-calls it says so, which is when it must stop to lead.
 */
import type { Notice } from './message.ts'

/** Roll-calls in a row, 5 s apart when idle (docs/protocol.md section 6). */
const FAILURES_MAX = 3

export class Reach {
  #failures = 0
  #isReached = true

  /** False once three roll-calls in a row fell short; true again with the first that does not. */
  get isReached(): boolean {
    return this.#isReached
  }

  /** A roll-call was closed. */
  closed(present: number, live: number): readonly Notice[] {
    this.#failures = isMajority(present, live) ? 0 : this.#failures + 1
    const isReached = this.#failures === 0 || (this.#isReached && this.#failures < FAILURES_MAX)
    if (isReached === this.#isReached) return []
    this.#isReached = isReached
    return [{ kind: 'quorum', reached: isReached, present, live }]
  }
}

/** Exactly half is none. */
export function isMajority(present: number, live: number): boolean {
  return present * 2 > live
}
