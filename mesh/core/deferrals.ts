/** Candidates that a roll-call did not convict: when each may be asked about again, and the reason, told once. */
import type { Notice } from './message.ts'
import type { Millis, VerdictKind } from './model.ts'

export class Deferrals {
  readonly #retryMs: Millis
  readonly #retryAt = new Map<string, Millis>()
  readonly #why = new Map<string, string>()

  constructor(retryMs: Millis) {
    this.#retryMs = retryMs
  }

  mayAsk(now: Millis, subject: string): boolean {
    return (this.#retryAt.get(subject) ?? 0) <= now
  }

  withhold(now: Millis, subject: string, verdict: VerdictKind, why: string): readonly Notice[] {
    this.#retryAt.set(subject, now + this.#retryMs)
    if (this.#why.get(subject) === why) return []
    this.#why.set(subject, why)
    return [{ kind: 'withheld', subject, verdict, why }]
  }

  forget(subject: string): void {
    this.#retryAt.delete(subject)
    this.#why.delete(subject)
  }

  nextAt(now: Millis): Millis {
    let next = Number.POSITIVE_INFINITY
    for (const at of this.#retryAt.values()) if (at > now && at < next) next = at
    return next
  }
}
