/**
 * Whether this observer is fit to judge others, by what hurt its own protocol work (Lifeguard's local health, but with a
 * vote at stake): late timers, a slow event loop, a failed control connect, or most of its subjects silent while others
 * hear them. How busy the machine is counts for nothing: batch clusters are always busy.
 */
import type { Millis } from './model.ts'
import type { Timing } from './timing.ts'

export class LocalHealth {
  readonly #timing: Timing
  #hurtInBeat: string | undefined
  #beatEndsAt: Millis
  #hurtBeats = 0
  #calmBeats = 0
  #degraded: string | undefined

  constructor(now: Millis, timing: Timing) {
    this.#timing = timing
    this.#beatEndsAt = now + timing.beatMs
  }

  /** Why this observer abstains; undefined while it is fit. */
  get degraded(): string | undefined {
    return this.#degraded
  }

  /** Something hurt this node's own work in this beat. `why` goes into its abstentions: at most 100 characters. */
  hurt(why: string): void {
    this.#hurtInBeat ??= why
  }

  /**
   * A timer fired late by so much. There are tens of them a beat, so they show the event loop's delay, too; to sample it
   * apart would wake a process that has nothing to do.
   */
  late(byMs: Millis): void {
    if (byMs >= this.#timing.strainMs) this.hurt(`its own work is late by ${Math.round(byMs)} ms`)
  }

  /** Of `subjects` watched, so many were silent in this beat that others hear. */
  standsAlone(silent: number, subjects: number): void {
    if (subjects >= 3 && silent * 2 >= subjects) this.hurt(`others hear ${silent} of its ${subjects} subjects`)
  }

  tick(now: Millis): void {
    if (now < this.#beatEndsAt) return
    this.#beatEndsAt = now + this.#timing.beatMs
    const why = this.#hurtInBeat
    this.#hurtInBeat = undefined
    this.#hurtBeats = why === undefined ? 0 : this.#hurtBeats + 1
    this.#calmBeats = why === undefined ? this.#calmBeats + 1 : 0
    if (this.#hurtBeats >= this.#timing.degradedAfterBeats) this.#degraded = why
    else if (this.#calmBeats >= this.#timing.fitAfterBeats) this.#degraded = undefined
  }

  get nextAt(): Millis {
    return this.#beatEndsAt
  }
}
