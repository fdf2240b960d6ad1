/** Who waits for the second copy of an event, and for how long: a decision is answered when two have it, or after a second. */

/** A copy takes a few ms; whoever waits longer is told that there is one copy alone. */
export const ALONE_AFTER_MS = 1_000

interface Waiting {
  readonly seq: number
  readonly untilMs: number
  readonly done: (isSingle: boolean) => void
}

export class Acknowledgements {
  #waiting: Waiting[] = []
  #copiedUpTo = 0
  /** What whoever asks is told at once, since no copies are made any more. */
  #inTheEnd: boolean | undefined

  /** Resolves with whether the event at `seq` has no second copy yet. `nowMs` is monotonic. */
  of(seq: number, nowMs: number): Promise<boolean> {
    if (seq <= this.#copiedUpTo) return Promise.resolve(false)
    if (this.#inTheEnd !== undefined) return Promise.resolve(this.#inTheEnd)
    return new Promise((done) => this.#waiting.push({ seq, untilMs: nowMs + ALONE_AFTER_MS, done }))
  }

  /** The second place has all up to this one of the journal; less than before, when it has lost what it had. */
  copied(upTo: number): void {
    this.#copiedUpTo = upTo
    this.#settle(({ seq }) => seq <= upTo, false)
  }

  tick(nowMs: number): void {
    this.#settle(({ untilMs }) => nowMs >= untilMs, true)
  }

  /** There is nobody to wait for any more, now or later. */
  end(isSingle: boolean): void {
    this.#inTheEnd = isSingle
    this.#settle(() => true, isSingle)
  }

  #settle(isOver: (waiting: Waiting) => boolean, isSingle: boolean): void {
    const over = this.#waiting.filter(isOver)
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting))
    for (const { done } of over) done(isSingle)
  }
}
