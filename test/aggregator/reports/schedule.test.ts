import { describe, expect, test } from 'vitest'
import { lastDue, nextDue, type Schedule } from '../../../aggregator/reports/schedule.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const at = (utc: string) => Date.parse(utc)
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16))
const daily = (cron: string, timeZone: string): Schedule => ({ cron, timeZone })

test('a report is due when the clocks of its zone show it', () => {
  const eight = daily('0 8 * * *', 'Asia/Shanghai')
  expect(iso(lastDue(eight, at('2026-11-21T00:00:00Z'), DAY_MS))).toBe('2026-11-21T00:00')
  expect(iso(lastDue(eight, at('2026-11-20T23:59:59Z'), DAY_MS))).toBe('2026-11-20T00:00')
  expect(iso(nextDue(eight, at('2026-11-21T00:00:00Z')))).toBe('2026-11-22T00:00')
})

test('what is longer ago is not due any more', () => {
  const eight = daily('0 8 * * *', 'UTC')
  expect(lastDue(eight, at('2026-11-21T14:00:00Z'), 6 * HOUR_MS)).toBe(at('2026-11-21T08:00:00Z'))
  expect(lastDue(eight, at('2026-11-21T14:00:01Z'), 6 * HOUR_MS)).toBeUndefined()
})

test('over midnight and on its days only', () => {
  const mondays = daily('50 23 * * 1', 'Europe/Berlin')
  expect(iso(lastDue(mondays, at('2026-11-24T02:00:00Z'), 6 * HOUR_MS))).toBe('2026-11-23T22:50')
  expect(lastDue(mondays, at('2026-11-25T02:00:00Z'), 6 * HOUR_MS)).toBeUndefined()
})

describe('where clocks change', () => {
  // In Berlin they show 02:00 to 02:59 not at all on 29 March 2026, and twice on 25 October.
  const night = daily('30 2 * * *', 'Europe/Berlin')

  test('a time that is skipped is due when it was', () => {
    expect(iso(nextDue(night, at('2026-03-28T12:00:00Z')))).toBe('2026-03-29T01:00')
    expect(iso(nextDue(night, at('2026-03-29T01:00:00Z')))).toBe('2026-03-30T00:30')
    expect(iso(lastDue(night, at('2026-03-29T01:00:00Z'), HOUR_MS))).toBe('2026-03-29T01:00')
  })

  test('a time that is shown twice is due once', () => {
    expect(iso(nextDue(night, at('2026-10-24T12:00:00Z')))).toBe('2026-10-25T00:30')
    expect(iso(nextDue(night, at('2026-10-25T00:30:00Z')))).toBe('2026-10-26T01:30')
    expect(iso(lastDue(night, at('2026-10-25T01:45:00Z'), 6 * HOUR_MS))).toBe('2026-10-25T00:30')
  })

  test('eight in the morning stays eight in the morning', () => {
    const eight = daily('0 8 * * *', 'America/New_York')
    expect(iso(nextDue(eight, at('2026-03-07T14:00:00Z')))).toBe('2026-03-08T12:00')
    expect(iso(nextDue(eight, at('2026-03-06T14:00:00Z')))).toBe('2026-03-07T13:00')
  })

  test('several that are skipped together are one', () => {
    const often = daily('0,15,30 2 * * *', 'Europe/Berlin')
    expect(iso(nextDue(often, at('2026-03-29T00:59:00Z')))).toBe('2026-03-29T01:00')
    expect(iso(nextDue(often, at('2026-03-29T01:00:00Z')))).toBe('2026-03-30T00:00')
  })

  test('a day that a zone never had has no report', () => {
    const noon = daily('0 12 * * *', 'Pacific/Apia')
    expect(iso(nextDue(noon, at('2011-12-29T23:00:00Z')))).toBe('2011-12-30T22:00')
  })
})
