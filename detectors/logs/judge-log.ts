/** From the lines found in a log to faults. Pure. */
import { counted } from '../../common/counted.ts'
import { formatDuration } from '../../common/duration.ts'
import type { Judgement, LogPattern, LogSource, LogTally, LogWatch } from '../contract.ts'

export interface LogRule {
  readonly pattern: string
  readonly ignoreCase: boolean
  readonly reason: string
  /** How many lines within `holdMs` it takes. */
  readonly times: number
  /** How long it is reported after the last line; a line of `clear` ends it before. */
  readonly holdMs: number
  readonly clear?: string | undefined
}

/** Everything to be looked for: the patterns of the rules in their order, then those that clear. */
export function watchOf(source: LogSource, rules: readonly LogRule[]): LogWatch {
  const clears = rules.flatMap(({ clear, ignoreCase }) => (clear === undefined ? [] : [{ pattern: clear, ignoreCase }]))
  const patterns: readonly LogPattern[] = [
    ...rules.map(({ pattern, ignoreCase }) => ({ pattern, ignoreCase })),
    ...clears,
  ]
  return { source, patterns, holdMs: Math.max(...rules.map(({ holdMs }) => holdMs)) }
}

/** Of several rules with one reason and cause the first that holds speaks. */
export function judgeLog(rules: readonly LogRule[], tallies: readonly LogTally[]): readonly Judgement[] {
  let nextClear = rules.length
  return rules.flatMap((rule, index) => {
    const clear = rule.clear === undefined ? undefined : nextClear++
    return tallies
      .filter(({ pattern }) => pattern === index)
      .flatMap((tally) => judgeTally(rule, tally, clearedAgo(tallies, clear, tally.cause)))
  })
}

/** How long ago a line said that it is over, of this cause or of all. */
function clearedAgo(tallies: readonly LogTally[], clear: number | undefined, cause: string): number {
  const own = tallies.filter((tally) => tally.pattern === clear && (tally.cause === '' || tally.cause === cause))
  return Math.min(Infinity, ...own.flatMap(({ agesMs }) => agesMs))
}

function judgeTally(rule: LogRule, { cause, text, agesMs }: LogTally, clearedAgoMs: number): readonly Judgement[] {
  const ages = agesMs.filter((ageMs) => ageMs <= rule.holdMs && ageMs < clearedAgoMs)
  if (ages[0] === undefined || ages.length < rule.times) return []
  const newest = Math.max(0, ages[0])
  return [
    {
      reason: rule.reason,
      cause,
      summary: `${counted(ages.length, 'line')} within ${formatDuration(rule.holdMs)}, the last ${formatDuration(newest)} ago: ${text}`,
      evidence: [
        { name: 'lines', value: ages.length, limit: rule.times, unit: 'lines' },
        { name: 'since the last', value: Math.round(newest / 1_000), unit: 's' },
      ],
    },
  ]
}
