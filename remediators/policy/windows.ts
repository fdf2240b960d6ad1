/**
 * When a policy may begin something. A window opens when the clocks of its zone show what its cron expression says, and is
 * open for its duration from then on, over midnight and over a change of the clocks. Pure.
 */
import { durationMs } from '../../common/duration.ts'
import { type Day, dayAfter, dayAt, dayBefore, isBefore, minutesOf, readUtc, writeUtc } from './calendar.ts'
import { readCron } from './cron.ts'
import type { Window } from './model.ts'

/** A leap day comes on the same day of the week within 28 years, and within 40 over a century without one. */
const SEARCHED_DAYS = 41 * 366

/** Whether one of them is open; true when there are none. Throws RangeError for a time that is none in UTC. */
export function isOpen(windows: readonly Window[], wall: string): boolean {
  const ms = readUtc(wall)
  return windows.length === 0 || windows.some((window) => isOpenAt(window, ms))
}

/** RFC 3339, UTC, of the next time after `wall` that one of them opens; undefined when there are none, or none ever does. */
export function nextOpening(windows: readonly Window[], wall: string): string | undefined {
  const ms = readUtc(wall)
  const next = Math.min(...windows.map((window) => openingAfter(window, ms) ?? Number.POSITIVE_INFINITY))
  return Number.isFinite(next) ? writeUtc(next) : undefined
}

function isOpenAt({ cron, duration, timeZone }: Window, ms: number): boolean {
  const { fitsDay, minutes } = readCron(cron)
  const from = ms - durationMs(duration)
  const earliest = dayAt(from, timeZone)
  // The latest opening before now decides: all are open for equally long.
  for (let day = dayAt(ms, timeZone); !isBefore(day, earliest); day = dayBefore(day)) {
    const latest = fitsDay(day) ? openings(day, minutes, timeZone).findLast((opening) => opening <= ms) : undefined
    if (latest !== undefined) return latest > from
  }
  return false
}

function openingAfter({ cron, timeZone }: Window, ms: number): number | undefined {
  const { fitsDay, minutes } = readCron(cron)
  let day: Day = dayAt(ms, timeZone)
  for (let searched = 0; searched < SEARCHED_DAYS; searched++, day = dayAfter(day)) {
    const next = fitsDay(day) ? openings(day, minutes, timeZone).find((opening) => opening > ms) : undefined
    if (next !== undefined) return next
  }
  return undefined
}

/** Ascending. A time that the clocks skip opens nothing; one that they show twice opens once, the first time. */
function openings(day: Day, minutes: readonly number[], timeZone: string): readonly number[] {
  const at = minutesOf(day, timeZone)
  return minutes.map(at).filter((ms) => ms !== undefined)
}
