/** Where the lines of a log go: matches are kept, everything else is let go, and what could not be looked at is not hidden. */
import { messageOf } from '../../common/errors.ts'
import type { LogTally, LogWatch } from '../host/port.ts'
import { Matcher } from './matcher.ts'
import { Tally } from './tally.ts'

/** Takes the text out of a line, and when it was written, on the monotonic clock in ms; undefined when that is not known. */
export type ReadLogLine = (line: string) => { readonly line: number | undefined; readonly text: string } | undefined

/** CLOCK_MONOTONIC, which the kernel's log has its times from. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

export class Sink {
  readonly #matcher: Matcher
  readonly #tally: Tally
  #lost: string | undefined

  /** Throws an Error for a pattern that is not run on the lines of a log. */
  constructor({ patterns, holdMs }: LogWatch) {
    this.#matcher = new Matcher(patterns)
    this.#tally = new Tally(holdMs)
  }

  /** Lines that each end in a newline. */
  take(chunk: string, read: ReadLogLine): void {
    const nowMs = monotonicMs()
    try {
      this.#matcher.match(chunk, read, (match, atMs, text) => {
        // A time ahead is of another clock, as in a container with a time namespace.
        const isKept = this.#tally.add(match, text, Math.min(atMs ?? nowMs, nowMs), nowMs)
        if (!isKept) this.lose('it has more causes than are remembered')
      })
    } catch (error) {
      this.lose(messageOf(error))
    }
  }

  /** Lines were not looked at, and may have held a match. The first reason until the next `read` is told. */
  lose(why: string): void {
    this.#lost ??= why
  }

  /** Everything found that still counts. Throws an Error when lines were lost since the last call, and once only. */
  read(): readonly LogTally[] {
    const lost = this.#lost
    this.#lost = undefined
    if (lost !== undefined) throw new Error(`not all lines could be looked at: ${lost}`)
    const { givenUp } = this.#matcher
    if (givenUp !== undefined)
      throw new Error(`pattern ${givenUp + 1} is no longer looked for: it took too long too often`)
    return this.#tally.read(monotonicMs())
  }
}
