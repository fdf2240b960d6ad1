/**
 * When a node says that it lives, and in which life. It goes up to the leader by one way; while many start at once, the ways
 * change under it and it can get lost. So it is said again soon a few times, and then at a third of its lifetime.
 */
import type { Millis } from './model.ts'

/** After the first time: four more statements a life, which cost nothing, for a gap of seconds in place of ten minutes. */
const AGAIN_AFTER_MS: readonly Millis[] = [5_000, 15_000, 60_000, 180_000]

export class Announcements {
  readonly #ttlMs: Millis
  #dueAt: Millis
  #said = 0

  /** `dueAt`: not given for an aggregator, which announces nothing. */
  constructor(dueAt: Millis | undefined, ttlMs: Millis) {
    this.#dueAt = dueAt ?? Number.POSITIVE_INFINITY
    this.#ttlMs = ttlMs
  }

  get dueAt(): Millis {
    return this.#dueAt
  }

  said(now: Millis): void {
    this.#dueAt = now + (AGAIN_AFTER_MS[this.#said] ?? this.#ttlMs / 3)
    this.#said += 1
  }

  /** There is something new to say, from now on. */
  renewed(): void {
    this.#said = 0
  }
}
