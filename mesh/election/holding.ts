/**
 * What a replica that does not lead knows of whoever holds the Lease, and when that is nobody any more: by expiry, counted
 * on the reader's own clock since the record last changed, or because the holder's process is gone.
 */
import type { Millis } from '../core/model.ts'
import type { Answer, Lease } from './model.ts'
import type { ElectionTiming } from './timing.ts'

export class Holding {
  readonly #timing: ElectionTiming
  #lease: Lease | undefined
  #changedAt: Millis
  #readAt = Number.NEGATIVE_INFINITY
  /** Since when the holder's port has answered nothing but that nobody listens. */
  #refusedSince: Millis | undefined
  #knockedAt = Number.NEGATIVE_INFINITY

  constructor(now: Millis, timing: ElectionTiming) {
    this.#timing = timing
    this.#changedAt = now
  }

  get lease(): Lease | undefined {
    return this.#lease
  }

  /** The Lease as it is now, by a reading or a write of one's own. */
  seen(now: Millis, lease: Lease | undefined): void {
    const { leaseMs, graceMs } = this.#timing
    const isNews = lease?.version !== this.#lease?.version
    // It may have been renewed unseen until a moment ago.
    const hadGap = now - this.#readAt > graceMs
    if (isNews) this.#changedAt = now
    else if (hadGap) this.#changedAt = Math.max(this.#changedAt, now - leaseMs + graceMs)
    // Who renews lives: somebody else refuses in its name. A process that is gone renewed for the last time before that.
    if (isNews) this.#refusedSince = undefined
    this.#lease = lease
    this.#readAt = now
  }

  knocked(now: Millis, holder: string, answer: Answer): void {
    if (holder !== this.#lease?.holder) return
    const hadGap = now - this.#knockedAt > this.#timing.graceMs
    if (answer !== 'refused') this.#refusedSince = undefined
    else if (hadGap || this.#refusedSince === undefined) this.#refusedSince = now
    this.#knockedAt = now
  }

  /** Whether nobody has opened at the last knock. */
  get isRefused(): boolean {
    return this.#refusedSince !== undefined
  }

  /** From when on `me` may take it, as far as is known now; it may have passed. */
  freeFrom(me: string): Millis {
    if (this.#readAt === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY
    const holder = this.#lease?.holder ?? ''
    if (holder === '' || holder === me || this.#isGone) return this.#changedAt
    return this.#changedAt + this.#timing.leaseMs
  }

  /** The last word of its port was the same as long before: no process, on a host that answers. */
  get #isGone(): boolean {
    return this.#refusedSince !== undefined && this.#knockedAt - this.#refusedSince >= this.#timing.goneMs
  }
}
