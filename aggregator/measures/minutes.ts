/**
 * The last 60 minutes of one host or container, in a fixed place. Minutes are counted by the node; when they began is told by
 * our own clock, so that what a node says of its time can make nothing that is old look new.
 */
import { MINUTE_MS, MINUTES_MAX } from '../../inspection/measure-words.ts'

/**
 * A figure may be so old beyond what was asked for, ms: it is asked for once a minute, and what was not heard for two rounds is
 * not known.
 */
export const LATE_MS = 2 * MINUTE_MS

/** As far as two minutes may stand from where they are by their numbers: what is more is another life of the host. */
const DRIFT_MS = 90_000

export interface Average {
  readonly value: number
  readonly coveredMs: number
}

export class MinuteRing {
  readonly #width: number
  readonly #cells: Float32Array
  #newest = -1
  #newestBeganMs = Number.NEGATIVE_INFINITY
  #newestPassedMs = 0

  /** `width`: figures a minute. */
  constructor(width: number) {
    this.#width = width
    this.#cells = new Float32Array(MINUTES_MAX * width).fill(Number.NaN)
  }

  /** Its number; below 0 before the first. */
  get newest(): number {
    return this.#newest
  }

  /** When the newest minute began, by the clock of `put`. */
  get newestBeganMs(): number {
    return this.#newestBeganMs
  }

  /**
   * `rows`, oldest first, the last of them of minute `newest`, which began `passedMs` before `nowMs`. A figure that is not
   * known is undefined. What was kept of a minute before gives way.
   */
  put(newest: number, passedMs: number, nowMs: number, rows: readonly (readonly (number | undefined)[])[]): void {
    const beganMs = nowMs - passedMs
    const expectedMs = this.#newestBeganMs + (newest - this.#newest) * MINUTE_MS
    if (!(Math.abs(beganMs - expectedMs) <= DRIFT_MS)) this.#forget()
    // An answer that was overtaken by a later one has nothing to add.
    if (newest < this.#newest) return
    const from = Math.max(this.#newest + 1, newest - MINUTES_MAX + 1)
    for (let minute = from; minute <= newest; minute++) this.#row(minute).fill(Number.NaN)
    if (newest > this.#newest) this.#newestBeganMs = beganMs
    this.#newest = newest
    this.#newestPassedMs = passedMs
    for (const [index, row] of rows.slice(-MINUTES_MAX).toReversed().entries()) {
      const cells = this.#row(newest - index)
      for (let column = 0; column < this.#width; column++) cells[column] = row[column] ?? Number.NaN
    }
  }

  /** Over the newest minutes that make up `overMs`; undefined when there is no figure in that time. */
  average(column: number, overMs: number, nowMs: number): Average | undefined {
    let [sum, coveredMs, spannedMs] = [0, 0, 0]
    for (let back = 0; back < MINUTES_MAX && spannedMs < overMs && back <= this.#newest; back++) {
      const lastsMs = back === 0 ? this.#newestPassedMs : MINUTE_MS
      const endedMs = this.#newestBeganMs - back * MINUTE_MS + lastsMs
      if (endedMs <= nowMs - overMs - LATE_MS) break
      const countsMs = Math.min(lastsMs, overMs - spannedMs)
      spannedMs += countsMs
      const figure = this.#row(this.#newest - back)[column] ?? Number.NaN
      if (Number.isNaN(figure)) continue
      sum += figure * countsMs
      coveredMs += countsMs
    }
    return coveredMs === 0 ? undefined : { value: sum / coveredMs, coveredMs }
  }

  #forget(): void {
    this.#cells.fill(Number.NaN)
    this.#newest = -1
    this.#newestBeganMs = Number.NEGATIVE_INFINITY
  }

  #row(minute: number): Float32Array {
    const at = (minute % MINUTES_MAX) * this.#width
    return this.#cells.subarray(at, at + this.#width)
  }
}
