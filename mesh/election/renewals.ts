/** When a leader renewed its own Lease: pairs of a version of the API server's and a moment of this process's own clock. */
import type { Millis } from '../core/model.ts'

interface Renewal {
  readonly version: string
  /** It was carried out at this moment or later. */
  readonly sentAt: Millis
}

/** Half an hour of them. Nobody asks about a silence that began longer ago: its mark was made, or it was left alone. */
const KEPT = 900

export class Renewals {
  readonly #renewals: Renewal[] = []

  /** When the last one was sent; -Infinity before the first. */
  get lastAt(): Millis {
    return this.#renewals.at(-1)?.sentAt ?? Number.NEGATIVE_INFINITY
  }

  note(version: string, sentAt: Millis): void {
    this.#renewals.push({ version, sentAt })
    if (this.#renewals.length > KEPT) this.#renewals.shift()
  }

  /** Version of the first renewal that was sent at `ms` or later; undefined when there was none since. */
  firstSince(ms: Millis): string | undefined {
    return this.#renewals.find(({ sentAt }) => sentAt >= ms)?.version
  }
}
