/** Windows against node-cron's own matcher, asked minute by minute: slow, and without any reckoning of days and offsets. */
import fc from 'fast-check'
import { createTask } from 'node-cron'
import { expect, test } from 'vitest'
import { durationMs } from '../../../common/duration.ts'
import { readCron } from '../../../remediators/policy/cron.ts'
import type { Window } from '../../../remediators/policy/model.ts'
import { isOpen, nextOpening } from '../../../remediators/policy/windows.ts'

const MINUTE = 60_000
const DAY = 1_440 * MINUTE
const wall = (ms: number) => new Date(ms).toISOString()

function matcherOf(cron: string, timezone: string): (ms: number) => boolean {
  const task = createTask(cron, () => {}, { timezone })
  void task.destroy()
  return (ms) => task.match(new Date(ms))
}

/** Each minute from `from` to `to` at which it opens: it matches, and the clocks did not show the same shortly before. */
function openings({ cron, timeZone }: Window, from: number, to: number): readonly number[] {
  const matches = matcherOf(cron, timeZone)
  const shows = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  const seen = new Set<string>()
  const found: number[] = []
  for (let ms = from - 180 * MINUTE; ms <= to; ms += MINUTE) {
    const shown = shows.format(ms)
    if (ms >= from && !seen.has(shown) && matches(ms)) found.push(ms)
    seen.add(shown)
  }
  return found
}

/** Time zones with the days on which their clocks change; and the ends of a year and of February. */
const PLACES = [
  ['Europe/Berlin', '2026-03-29', '2026-10-25'],
  ['America/New_York', '2026-03-08', '2026-11-01'],
  // Half an hour of summer time, and one that begins and ends at midnight.
  ['Australia/Lord_Howe', '2026-10-04', '2026-04-05'],
  ['Africa/Cairo', '2026-04-24', '2026-10-30'],
  ['Asia/Kathmandu', '2026-12-31', '2028-02-29'],
] as const

const place = fc
  .tuple(fc.constantFrom(...PLACES), fc.boolean(), fc.integer({ min: -720, max: 720 }))
  .map(([[timeZone, spring, autumn], isSpring, minutes]) => ({
    timeZone,
    start: Date.parse(isSpring ? spring : autumn) + minutes * MINUTE,
  }))

const cron = fc
  .tuple(
    fc.constantFrom('0', '30', '59', '*/15', '10-50/20,5'),
    fc.constantFrom('*', '0', '1', '2', '3', '0-3', '22-4/2', '*/12'),
    fc.constantFrom('*', '*', '*', '*', '1', '25-31', 'L', 'L-3', '1W'),
    fc.constantFrom('*', '*', '*', 'mar,apr,oct,nov'),
    fc.constantFrom('*', '*', '*', '*', '7', 'sat,sun', '0L', '0#1', '1-5'),
  )
  .map((fields) => fields.join(' '))
const windows = fc.array(fc.record({ cron, duration: fc.constantFrom('10m', '90m', '12h') }), {
  minLength: 1,
  maxLength: 2,
})

test('windows are open, and open next, when a look at every minute says so', () => {
  fc.assert(
    fc.property(windows, place, (parts, { timeZone, start }) => {
      const all = parts.map((part) => ({ ...part, timeZone }))
      const looked = all.map((one) => ({ ...one, at: openings(one, start - 0.6 * DAY, start + DAY) }))
      for (let ms = start; ms < start + DAY; ms += 29 * MINUTE) {
        const open = looked.some(({ at, duration }) =>
          at.some((from) => from <= ms && ms < from + durationMs(duration)),
        )
        expect([wall(ms), isOpen(all, wall(ms))]).toEqual([wall(ms), open])
      }
      const next = Math.min(...looked.flatMap(({ at }) => at.filter((ms) => ms > start)))
      const answer = nextOpening(all, wall(start))
      if (Number.isFinite(next)) expect(answer).toBe(wall(next).replace('.000', ''))
      else if (answer !== undefined) expect(Date.parse(answer)).toBeGreaterThan(start + DAY)
    }),
    { numRuns: 20 },
  )
})

const DAYS_OF_MONTH = ['*', '13', '31', 'L', 'L-30', 'l-2', '1W', '15w', '31W', 'LW', '1,L', '?']
const DAYS_OF_WEEK = ['*', '0', '7', 'fri', '1-5', 'fri-mon', '5L', '7l', '2#3', '6#5', '?']

test('a day fits where node-cron says so, whatever its fields are', () => {
  let fitting = 0
  for (const dayOfMonth of DAYS_OF_MONTH) {
    for (const dayOfWeek of DAYS_OF_WEEK) {
      const cron = `0 0 ${dayOfMonth} * ${dayOfWeek}`
      const matches = matcherOf(cron, 'UTC')
      const { fitsDay } = readCron(cron)
      for (let ms = Date.UTC(2027, 11, 1); ms < Date.UTC(2028, 4, 1); ms += DAY) {
        const date = new Date(ms)
        const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
        const fits = matches(ms)
        expect([cron, wall(ms), fitsDay(day)]).toEqual([cron, wall(ms), fits])
        if (fits) fitting++
      }
    }
  }
  expect(fitting).toBeGreaterThan(1_000)
})

test('whatever is written as an expression is read or refused, at once', () => {
  const signs = fc.constantFrom(...'0123456789*/,-#?LWlw ', 'mon', 'jan', '99999999999')
  const written = fc.array(
    fc.array(signs, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
    {
      minLength: 4,
      maxLength: 6,
    },
  )
  fc.assert(
    fc.property(written, (fields) => {
      const cron = fields.join(' ')
      try {
        readCron(cron)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
        return
      }
      const opening = nextOpening([{ cron, duration: '1m', timeZone: 'UTC' }], '2026-01-01T00:00:00Z')
      expect(opening ?? '2026').toMatch(/^20/)
    }),
    { numRuns: 500 },
  )
})
