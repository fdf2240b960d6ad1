/** Compares from time to time, with a random neighbour, what both know of what aggregators say. */
import type { Dissemination } from './dissemination.ts'
import type { Links } from './links.ts'
import type { Effect } from './message.ts'
import type { Millis } from './model.ts'

export class AntiEntropy {
  readonly #everyMs: Millis
  readonly #random: () => number
  #dueAt: Millis

  /** `random`: uniform in [0, 1). */
  constructor(now: Millis, everyMs: Millis, random: () => number) {
    this.#everyMs = everyMs
    this.#random = random
    this.#dueAt = now + everyMs * random()
  }

  get dueAt(): Millis {
    return this.#dueAt
  }

  tick(now: Millis, links: Links, dissemination: Dissemination): readonly Effect[] {
    if (now < this.#dueAt) return []
    dissemination.expire(now)
    this.#dueAt = now + this.#everyMs
    const peer = links.any(this.#random)
    return peer === undefined ? [] : dissemination.digestTo(peer)
  }
}
