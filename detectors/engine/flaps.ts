/**
 * How long a fault must be seen gone before it is reported gone. One that comes and goes stays reported as flapping, the
 * longer the more often it went, within a bound: a report that never clears is as bad as one that flickers. Pure.
 */

/** As often as this within the window, and it is flapping: once is an event, twice a coincidence. */
export const FLAPPING_FROM = 3
export const WINDOW_MS = 3_600_000
/** A flapping fault is reported gone at the latest when it was gone for this long, or for its own clearAfter if that is more. */
export const HOLD_MS_MAX = 1_800_000
/** By then the hold has reached its bound, whatever the interval. */
const GOINGS_MAX = 16
/** A detector with more causes than this that come and go has its calmest ones forgotten. */
const FLAPS_MAX = 256

/** When a reported fault was seen gone, newest last; on the clock of the track. */
export interface Flaps {
  readonly key: string
  readonly wentMs: readonly number[]
}

export function wentTimes(flaps: readonly Flaps[], key: string): number {
  return flaps.find((each) => each.key === key)?.wentMs.length ?? 0
}

export function isFlapping(times: number): boolean {
  return times >= FLAPPING_FROM
}

/** How long it must be gone that went so often. `ttlMs`: of its report, three intervals. */
export function quietMs(times: number, clearAfterMs: number, ttlMs: number): number {
  if (!isFlapping(times)) return clearAfterMs
  const hold = Math.max(clearAfterMs, ttlMs) * 2 ** (times - FLAPPING_FROM + 1)
  return Math.max(clearAfterMs, Math.min(HOLD_MS_MAX, hold))
}

/** With what went just now, and without what is out of the window. */
export function withGone(flaps: readonly Flaps[], nowMs: number, keys: readonly string[]): readonly Flaps[] {
  const gone = new Set(keys)
  const known = new Set(flaps.map(({ key }) => key))
  const added = keys.filter((key) => !known.has(key)).map((key): Flaps => ({ key, wentMs: [] }))
  return [...flaps, ...added]
    .map(({ key, wentMs }): Flaps => {
      const recent = wentMs.filter((ms) => nowMs - ms < WINDOW_MS)
      return { key, wentMs: (gone.has(key) ? [...recent, nowMs] : recent).slice(-GOINGS_MAX) }
    })
    .filter(({ wentMs }) => wentMs.length > 0)
    .toSorted((a, b) => b.wentMs.length - a.wentMs.length)
    .slice(0, FLAPS_MAX)
}
