/** When it is to be said that events have one copy alone, and when that is over. */
import { ALONE_AFTER_MS } from './acknowledgements.ts'

/** A disk that is slow now and then must not begin and end an alarm each time. */
const OVER_AFTER_MS = 10_000

/** Of the places that are not copied yet, the times of so many are known; of what lies between, the earlier one counts. */
const MARKS_MAX = 1_000

export class SingleCopyAlarm {
  /** Places without a second copy, and since when; oldest first. */
  #marks: { readonly seq: number; readonly sinceMs: number }[] = []
  #last = 0
  #copiedUpTo = 0
  #lastAloneMs = Number.NEGATIVE_INFINITY
  #isOn = false

  /** Something stands at this place of the journal. */
  recorded(seq: number, nowMs: number): void {
    this.#last = Math.max(this.#last, seq)
    if (seq > this.#copiedUpTo && this.#marks.length < MARKS_MAX) this.#marks.push({ seq, sinceMs: nowMs })
  }

  /** The second place has all up to this one. */
  copied(upTo: number, nowMs: number): void {
    this.#copiedUpTo = upTo
    this.#marks = this.#marks.filter(({ seq }) => seq > upTo)
    if (this.#marks.length === 0 && this.#last > upTo) this.#marks = [{ seq: this.#last, sinceMs: nowMs }]
  }

  /** Events without a second copy. */
  get behind(): number {
    return Math.max(0, this.#last - this.#copiedUpTo)
  }

  /** Whether the alarm is on now. */
  look(nowMs: number): boolean {
    const [oldest] = this.#marks
    if (oldest !== undefined && nowMs - oldest.sinceMs >= ALONE_AFTER_MS) {
      this.#lastAloneMs = nowMs
      this.#isOn = true
    } else if (nowMs - this.#lastAloneMs >= OVER_AFTER_MS) {
      this.#isOn = false
    }
    return this.#isOn
  }
}
