/**
 * Members that a roll-call did not reach and nobody has accused yet. They may be paused for a moment, or they may be the
 * first sign of a cut that is about to be seen; the brake must not take the one for the other. So before a verdict that
 * hangs on it the leader asks about them: whoever answers for one vouches for it, for a while.
 */
import type { Millis } from './model.ts'

/** About a beat longer than it takes observers to see silence for themselves. */
const VOUCHED_FOR_MS = 3_000

export class Absence {
  readonly #vouchedAt = new Map<string, Millis>()

  vouched(now: Millis, node: string): void {
    this.#vouchedAt.set(node, now)
  }

  /** Those of `absent` for whom nobody has vouched lately. */
  unexplained(now: Millis, absent: readonly string[]): readonly string[] {
    for (const [node, at] of this.#vouchedAt) if (now - at >= VOUCHED_FOR_MS) this.#vouchedAt.delete(node)
    return absent.filter((node) => !this.#vouchedAt.has(node))
  }
}
