/** Lines that were recorded, held against patterns as those of a log that is followed. */
import type { LogTally, LogWatch } from '../host/port.ts'
import { Matcher } from './matcher.ts'
import { Tally } from './tally.ts'

export interface RecordedLine {
  readonly ageMs: number
  readonly text: string
}

export function tallyLines({ patterns, holdMs }: LogWatch, lines: readonly RecordedLine[]): readonly LogTally[] {
  const matcher = new Matcher(patterns)
  const tally = new Tally(holdMs)
  for (const { ageMs, text } of lines) {
    const read = (line: string) => ({ line: -ageMs, text: line })
    matcher.match(`${text}\n`, read, (match, atMs, line) => tally.add(match, line, atMs, 0))
  }
  return tally.read(0)
}
