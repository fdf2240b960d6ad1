/** Days of the calendar and the clock of a time zone, reckoned without a clock. Pure. */
import { zonedClock } from '../../common/zoned-clock.ts'

/** A day of the Gregorian calendar; `month` and `day` count from 1. */
export interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

export function dayAfter({ year, month, day }: Day): Day {
  if (day < daysInMonth(year, month)) return { year, month, day: day + 1 }
  return month < 12 ? { year, month: month + 1, day: 1 } : { year: year + 1, month: 1, day: 1 }
}

export function dayBefore({ year, month, day }: Day): Day {
  if (day > 1) return { year, month, day: day - 1 }
  return month > 1
    ? { year, month: month - 1, day: daysInMonth(year, month - 1) }
    : { year: year - 1, month: 12, day: 31 }
}

/** 0 is Sunday, as in cron. */
export function weekdayOf(day: Day): number {
  // 1970-01-01 was a Thursday.
  return (((daysSince1970(day) + 4) % 7) + 7) % 7
}

export function isBefore(a: Day, b: Day): boolean {
  return daysSince1970(a) < daysSince1970(b)
}

/** Of the proleptic Gregorian calendar; a year begins in March, so that the leap day is its last. */
function daysSince1970({ year, month, day }: Day): number {
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  // 719 468 days lie between 0000-03-01 and 1970-01-01.
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
}

/** Milliseconds since 1970 of an RFC 3339 time in UTC, as moments write it. Throws RangeError for anything else. */
export function readUtc(wall: string): number {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?Z$/.exec(wall)
  if (found === null) throw new RangeError(`"${wall}" is not a time in UTC, as in 2026-03-29T01:00:00Z`)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number)
  const seconds = (hour * 60 + minute) * 60 + second + Number(found[7] ?? 0)
  return daysSince1970({ year, month, day }) * DAY_MS + Math.floor(seconds * 1_000)
}

/** RFC 3339, UTC, to the second. */
export function writeUtc(ms: number): string {
  const { year, month, day, hour, minute, second } = readingAt(ms, 'UTC')
  const two = (value: number) => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`
}

export function dayAt(ms: number, timeZone: string): Day {
  const { year, month, day } = readingAt(ms, timeZone)
  return { year, month, day }
}

/**
 * When the clocks of `timeZone` show each minute of `day`, counted from midnight; undefined for one that they skip. One
 * that they show twice is answered with the first time.
 */
export function minutesOf(day: Day, timeZone: string): (minute: number) => number | undefined {
  const midnight = daysSince1970(day) * DAY_MS
  // Offsets are less than a day, so these lie before and after every moment of it.
  const before = offsetAt(midnight - DAY_MS, timeZone)
  const after = offsetAt(midnight + 2 * DAY_MS, timeZone)
  return (minute) => {
    const shown = midnight + minute * MINUTE_MS
    // Before the clocks are put back they show what they show again later, so that is asked first.
    return before === after
      ? shown - before
      : [shown - before, shown - after].find((ms) => ms + offsetAt(ms, timeZone) === shown)
  }
}

/** How far the clocks of `timeZone` are ahead of UTC. */
function offsetAt(ms: number, timeZone: string): number {
  const { year, month, day, hour, minute, second } = readingAt(ms, timeZone)
  const shown = daysSince1970({ year, month, day }) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000
  return shown - Math.floor(ms / 1_000) * 1_000
}

interface Reading extends Day {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

function readingAt(ms: number, timeZone: string): Reading {
  const shown = zonedClock(ms, timeZone)
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(shown.get(type) ?? 0)
  const date = { year: part('year'), month: part('month'), day: part('day') }
  return { ...date, hour: part('hour'), minute: part('minute'), second: part('second') }
}
