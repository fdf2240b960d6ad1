/** What has been found in a log: for each pattern and cause when, and in which words last. Bounded, whatever a log says. */
import type { LogTally } from '../host/port.ts'
import type { LineMatch } from './matcher.ts'

/** Matches of one cause that are remembered: as many as a rule may ask for. */
export const TIMES_MAX = 64
const CAUSES_MAX = 256
const TEXT_LENGTH_MAX = 400

interface Entry {
  readonly pattern: number
  readonly cause: string
  text: string
  /** On the monotonic clock, oldest first, the last `TIMES_MAX` of them certain. */
  times: number[]
}

export class Tally {
  readonly #entries = new Map<string, Entry>()
  readonly #holdMs: number

  /** `holdMs`: what is older no longer counts. */
  constructor(holdMs: number) {
    this.#holdMs = holdMs
  }

  /** False when there are more causes than are kept. */
  add({ pattern, cause }: LineMatch, text: string, atMs: number, nowMs: number): boolean {
    if (nowMs - atMs > this.#holdMs) return true
    const key = `${pattern} ${cause}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      if (this.#entries.size >= CAUSES_MAX) this.#forget(nowMs)
      if (this.#entries.size >= CAUSES_MAX) return false
      entry = { pattern, cause: copyOf(cause), text: '', times: [] }
      this.#entries.set(copyOf(key), entry)
    }
    entry.text = copyOf(text.slice(0, TEXT_LENGTH_MAX))
    entry.times.push(atMs)
    if (entry.times.length >= 2 * TIMES_MAX) entry.times = entry.times.slice(-TIMES_MAX)
    return true
  }

  /** Everything that still counts. */
  read(nowMs: number): readonly LogTally[] {
    this.#forget(nowMs)
    return [...this.#entries.values()].map(({ pattern, cause, text, times }) => {
      const agesMs = times.map((atMs) => Math.max(0, nowMs - atMs)).filter((ageMs) => ageMs <= this.#holdMs)
      return { pattern, cause, text, agesMs: agesMs.toSorted((a, b) => a - b).slice(0, TIMES_MAX) }
    })
  }

  #forget(nowMs: number): void {
    for (const [key, { times }] of this.#entries) {
      if (nowMs - Math.max(...times) > this.#holdMs) this.#entries.delete(key)
    }
  }
}

/** A slice of a chunk would keep the whole chunk in memory. */
function copyOf(slice: string): string {
  return Buffer.from(slice).toString()
}
