/**
 * The suspicions a member holds, each with its timer. Where several members suspect independently, the timer shrinks from
 * the longest to the shortest with the logarithm of their number (Lifeguard, "dogpile").
 */

/** In ms. */
export interface SuspicionTimes {
  readonly minMs: number
  readonly maxMs: number
  /** How many confirmations shorten it to `minMs`; 0: it lasts `minMs` from the start. */
  readonly confirmations: number
}

interface Clock {
  readonly now: number
  after(ms: number, run: () => void): void
}

interface Suspicion {
  readonly startedAt: number
  readonly suspectedBy: Set<number>
  /** Only the timer that was set last counts. */
  timer: number
}

export class Suspicions {
  readonly #clock: Clock
  readonly #times: SuspicionTimes
  readonly #expired: (subject: number) => void
  readonly #open = new Map<number, Suspicion>()

  constructor(clock: Clock, times: SuspicionTimes, expired: (subject: number) => void) {
    this.#clock = clock
    this.#times = times
    this.#expired = expired
  }

  start(subject: number, from: number): void {
    const suspicion = { startedAt: this.#clock.now, suspectedBy: new Set([from]), timer: 0 }
    this.#open.set(subject, suspicion)
    this.#setTimer(subject, suspicion)
  }

  /** Another member suspects it too; false when that is no news, or enough have. */
  confirm(subject: number, from: number): boolean {
    const suspicion = this.#open.get(subject)
    if (suspicion === undefined || suspicion.suspectedBy.has(from)) return false
    if (suspicion.suspectedBy.size > this.#times.confirmations) return false
    suspicion.suspectedBy.add(from)
    this.#setTimer(subject, suspicion)
    return true
  }

  end(subject: number): void {
    this.#open.delete(subject)
  }

  #setTimer(subject: number, suspicion: Suspicion): void {
    const timer = ++suspicion.timer
    const dueAt = suspicion.startedAt + this.#lasts(suspicion.suspectedBy.size - 1)
    this.#clock.after(dueAt - this.#clock.now, () => {
      if (this.#open.get(subject) !== suspicion || suspicion.timer !== timer) return
      this.#open.delete(subject)
      this.#expired(subject)
    })
  }

  #lasts(confirmed: number): number {
    const { minMs, maxMs, confirmations } = this.#times
    if (confirmations === 0) return minMs
    return maxMs - ((maxMs - minMs) * Math.log(confirmed + 1)) / Math.log(confirmations + 1)
  }
}
