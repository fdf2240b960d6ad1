/** Lengths of time as people write them in settings: a whole or decimal number and one unit, such as `500ms`, `10s`, `5m`, `2h`, `7d`. */

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export type DurationUnit = keyof typeof UNIT_MS
export type Duration = `${number}${DurationUnit}`

const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

export function isDuration(text: string): text is Duration {
  return PATTERN.test(text)
}

/** Milliseconds in `text`. Throws RangeError when it is not a duration. */
export function durationMs(text: string): number {
  const match = PATTERN.exec(text)
  if (match === null)
    throw new RangeError(`"${text}" is not a duration: write a number and ms, s, m, h or d, as in 30s`)
  return Number(match[1]) * UNIT_MS[match[2] as DurationUnit]
}

/** The largest unit that keeps the figure at one or above, at most one decimal: 90 000 ms is `1.5m`. */
export function formatDuration(ms: number): Duration {
  const units = Object.entries(UNIT_MS).toReversed() as [DurationUnit, number][]
  for (const [unit, size] of units) {
    if (ms >= size) return `${Math.round((ms / size) * 10) / 10}${unit}`
  }
  return `${Math.round(ms)}ms`
}
