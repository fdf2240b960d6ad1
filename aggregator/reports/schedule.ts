/** When a report is due: when the clocks of its time zone show what its cron expression says. Pure. */
import { type Day, dayAfter, dayAt, dayBefore, isBefore, minutesOf } from '../../remediators/policy/calendar.ts'
import { type Cron, readCron } from '../../remediators/policy/cron.ts'

export interface Schedule {
  /** Five fields. */
  readonly cron: string
  /** IANA name. */
  readonly timeZone: string
}

const MINUTES_OF_DAY = 24 * 60
/** 29 February on a given day of the week comes within 40 years. */
const SEARCHED_DAYS = 41 * 366

/** The latest time, ms since 1970, at or before `now` and not longer ago than `withinMs`; undefined when there is none. */
export function lastDue({ cron, timeZone }: Schedule, now: number, withinMs: number): number | undefined {
  const fields = readCron(cron)
  const earliest = dayAt(now - withinMs, timeZone)
  for (let day = dayAt(now, timeZone); !isBefore(day, earliest); day = dayBefore(day)) {
    const due = dueTimes(day, fields, timeZone).findLast((ms) => ms <= now)
    if (due !== undefined) return due >= now - withinMs ? due : undefined
  }
  return undefined
}

/** The first time after `now`, ms since 1970; undefined when there is none within 40 years. */
export function nextDue({ cron, timeZone }: Schedule, now: number): number | undefined {
  const fields = readCron(cron)
  let day = dayAt(now, timeZone)
  for (let searched = 0; searched < SEARCHED_DAYS; searched++, day = dayAfter(day)) {
    const due = dueTimes(day, fields, timeZone).find((ms) => ms > now)
    if (due !== undefined) return due
  }
  return undefined
}

/**
 * Ascending. What is due at a time that the clocks skip is due when they have skipped it: a daily report is not left out on that
 * day. What they show twice is due the first time only.
 */
function dueTimes(day: Day, { fitsDay, minutes }: Cron, timeZone: string): readonly number[] {
  if (!fitsDay(day)) return []
  const at = minutesOf(day, timeZone)
  const shownFrom = (minute: number): number | undefined => {
    for (let next = minute; next < MINUTES_OF_DAY; next++) {
      const ms = at(next)
      if (ms !== undefined) return ms
    }
    return undefined
  }
  return [...new Set(minutes.map(shownFrom).filter((ms) => ms !== undefined))].toSorted((a, b) => a - b)
}
