/**
 * Members that a roll-call did not reach and nobody has accused yet. They may be paused for a moment, or they may be the
 * first sign of a cut that is about to be seen; the brake must not take the one for the other. So before a verdict that
 * hangs on it the leader asks about them: whoever answers for one vouches for it, for a while.
 */
import type { Millis } from './model.ts'

/** About a beat longer than it takes observers to see silence for themselves. */
const VOUCHED_FOR_MS = 3_000

/**
 * Who answered a roll-call so lately was not cut off when the silence began that made a candidate: that takes 1.3 s. On a busy
 * machine it is another few each time that miss a roll-call.
 */
const PRESENT_FOR_MS = 1_000

export class Absence {
  readonly #vouchedAt = new Map<string, Millis>()
  readonly #presentAt = new Map<string, Millis>()

  vouched(now: Millis, node: string): void {
    this.#vouchedAt.set(node, now)
  }

  /** These answered a roll-call. */
  present(now: Millis, nodes: readonly string[]): void {
    for (const node of nodes) this.#presentAt.set(node, now)
  }

  /** Those of `absent` that did not answer lately themselves, and for whom nobody has vouched lately. */
  unexplained(now: Millis, absent: readonly string[]): readonly string[] {
    for (const [node, at] of this.#vouchedAt) if (now - at >= VOUCHED_FOR_MS) this.#vouchedAt.delete(node)
    for (const [node, at] of this.#presentAt) if (now - at >= PRESENT_FOR_MS) this.#presentAt.delete(node)
    return absent.filter((node) => !this.#vouchedAt.has(node) && !this.#presentAt.has(node))
  }
}
