/** Cron expressions of five fields, as node-cron reads them: its parser, and the days and minutes that its fields fit. */
import { type ParsedFields, parse } from 'node-cron'
import { messageOf } from '../../common/errors.ts'
import { type Day, daysInMonth, weekdayOf } from './calendar.ts'

export interface Cron {
  /** Day of month and day of week must both fit, unlike in the cron of old. */
  fitsDay(day: Day): boolean
  /** Minutes from midnight, ascending. */
  readonly minutes: readonly number[]
}

/** Throws RangeError that says what is wrong with `text`. */
export function readCron(text: string): Cron {
  const fields = parseBounded(text)
  const minutes = fields.hour.flatMap((hour) => fields.minute.map((minute) => hour * 60 + minute))
  return {
    fitsDay: (day) =>
      fields.month.includes(day.month) &&
      fields.dayOfMonth.some((token) => fitsDayOfMonth(String(token), day)) &&
      fields.dayOfWeek.some((token) => fitsDayOfWeek(String(token), day)),
    minutes: [...new Set(minutes)].toSorted((a, b) => a - b),
  }
}

function parseBounded(text: string): ParsedFields {
  // The parser writes out every range before it looks at its bounds: one of a billion would fill the memory.
  const tooLarge = /\d{3,}/.exec(text)?.[0]
  if (tooLarge !== undefined) throw new RangeError(`${tooLarge} is too large for any field`)
  const count = text.trim().split(/\s+/).length
  if (count !== 5) {
    throw new RangeError(`must be five fields, minute, hour, day of month, month, day of week, and not ${count}`)
  }
  try {
    return parse(text)
  } catch (error) {
    throw new RangeError(messageOf(error).replace('a invalid', 'an invalid'))
  }
}

/** A number, `L` the last, `L-3` three before it, `15W` and `LW` the working day next to it within the month. */
function fitsDayOfMonth(token: string, { year, month, day }: Day): boolean {
  const last = daysInMonth(year, month)
  const [, from, back, isWorking] = /^(\d+|L)(?:-(\d+))?(W)?$/.exec(token) ?? []
  const meant = (from === 'L' ? last : Number(from)) - Number(back ?? 0)
  return day === (isWorking === undefined ? meant : workingDayNextTo({ year, month, day: meant }, last))
}

/** Undefined when the month has no such day. */
function workingDayNextTo(date: Day, last: number): number | undefined {
  const { day } = date
  if (day > last) return undefined
  const weekday = weekdayOf(date)
  if (weekday === 6) return day === 1 ? day + 2 : day - 1
  if (weekday === 0) return day === last ? day - 2 : day + 1
  return day
}

/** A number from 0 for Sunday, `5L` the last Friday of the month, `2#3` the third Tuesday. */
function fitsDayOfWeek(token: string, date: Day): boolean {
  if (Number(token[0]) !== weekdayOf(date)) return false
  if (token.endsWith('L')) return date.day + 7 > daysInMonth(date.year, date.month)
  return token[1] !== '#' || Math.ceil(date.day / 7) === Number(token[2])
}
