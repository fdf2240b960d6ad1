/**
 * Holds the lines of a log against patterns. Most lines are passed over by looking for the texts that the patterns need, in
 * many lines at once; the patterns themselves run under a time limit, since some take for ever on some lines.
 */
import { createContext, Script } from 'node:vm'
import { formatDuration } from '../../common/duration.ts'
import type { LogPattern } from '../host/port.ts'
import { requiredLiterals } from './pattern-syntax.ts'

/** Of a longer line only the beginning is looked at: the kernel's own end at 1 KiB (LOG_LINE_MAX with its prefix). */
export const LINE_LENGTH_MAX = 4 * 1024
/** For all lines of one batch, which take well under a millisecond. */
const BATCH_MS = 100
/** A pause of the whole process looks like a slow pattern; three in a row do not. */
const STRIKES_MAX = 3

export interface LineMatch {
  /** Its place among the patterns. */
  readonly pattern: number
  /** What its group of that name matched; empty when there is none. */
  readonly cause: string
}

/** Called with each line that may match and where it begins; returns the text that patterns are held against. */
export type ReadLine<L> = (line: string) => { readonly line: L; readonly text: string } | undefined

interface Compiled {
  readonly expression: RegExp
  readonly literals: readonly string[]
  strikes: number
}

export class Matcher {
  readonly #patterns: readonly Compiled[]
  readonly #finder: RegExp
  /** The pattern that runs now: after a time-out the one that took too long. */
  #running = 0

  /** Throws an Error for a pattern that `requiredLiterals` refuses. */
  constructor(patterns: readonly LogPattern[]) {
    this.#patterns = patterns.map(({ pattern, ignoreCase }) => {
      const literals = requiredLiterals(pattern).map((literal) => (ignoreCase ? literal.toLowerCase() : literal))
      return { expression: new RegExp(pattern, ignoreCase ? 'i' : ''), literals, strikes: 0 }
    })
    const literals = new Set(this.#patterns.flatMap((pattern) => pattern.literals))
    const flags = patterns.some(({ ignoreCase }) => ignoreCase) ? 'gi' : 'g'
    this.#finder = new RegExp([...literals].map(escaped).join('|'), flags)
  }

  /** The pattern that has been given up for taking too long, if there is one. */
  get givenUp(): number | undefined {
    const index = this.#patterns.findIndex(({ strikes }) => strikes >= STRIKES_MAX)
    return index === -1 ? undefined : index
  }

  /**
   * Calls `onMatch` for each match in `chunk`, which is lines that each end in a newline. `read` takes the text out of
   * a line. Throws an Error when a pattern took too long: what else is in the chunk has not been looked at.
   */
  match<L>(chunk: string, read: ReadLine<L>, onMatch: (match: LineMatch, line: L, text: string) => void): void {
    const lines = this.#candidates(chunk)
    if (lines.length === 0) return
    withinTime(
      () => {
        for (const candidate of lines) {
          const found = read(candidate)
          if (found === undefined) continue
          const text = found.text.slice(0, LINE_LENGTH_MAX)
          for (const [index, pattern] of this.#patterns.entries()) {
            if (pattern.strikes >= STRIKES_MAX) continue
            this.#running = index
            const result = pattern.expression.exec(text)
            if (result !== null) onMatch({ pattern: index, cause: result.groups?.cause ?? '' }, found.line, text)
          }
        }
      },
      () => this.#strike(),
    )
  }

  #strike(): Error {
    const pattern = this.#patterns[this.#running]
    if (pattern !== undefined) pattern.strikes += 1
    return new Error(`the pattern ${pattern?.expression.source} took over ${formatDuration(BATCH_MS)}`)
  }

  /** The lines with one of the texts in them. */
  #candidates(chunk: string): readonly string[] {
    const lines: string[] = []
    this.#finder.lastIndex = 0
    for (let hit = this.#finder.exec(chunk); hit !== null; hit = this.#finder.exec(chunk)) {
      const start = chunk.lastIndexOf('\n', hit.index) + 1
      const newline = chunk.indexOf('\n', hit.index)
      const end = newline === -1 ? chunk.length : newline
      lines.push(chunk.slice(start, end))
      this.#finder.lastIndex = end + 1
    }
    return lines
  }
}

const context = createContext({ run: () => {} })
const script = new Script('run()')

/** V8 can be stopped in the middle of a regular expression, but only when a script of its own is. */
function withinTime(run: () => void, onTimeout: () => Error): void {
  context.run = run
  try {
    script.runInContext(context, { timeout: BATCH_MS })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? onTimeout() : error
  }
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
