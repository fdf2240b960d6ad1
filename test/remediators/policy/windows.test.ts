import { describe, expect, test } from 'vitest'
import type { Duration } from '../../../common/duration.ts'
import { isOpen, nextOpening } from '../../../remediators/policy/windows.ts'

const window = (cron: string, duration: Duration, timeZone = 'UTC') => ({ cron, duration, timeZone })
const night = [window('0 22 * * *', '8h', 'Europe/Berlin')]

describe('a window', () => {
  test.each([
    ['2026-01-15T20:59:59Z', false],
    ['2026-01-15T21:00:00Z', true],
    ['2026-01-15T23:30:00.123Z', true],
    ['2026-01-16T04:59:59Z', true],
    ['2026-01-16T05:00:00Z', false],
    // In summer Berlin is two hours ahead.
    ['2026-07-15T20:00:00Z', true],
    ['2026-07-15T19:59:59Z', false],
  ])('over midnight, at %s: %s', (wall, open) => {
    expect(isOpen(night, wall)).toBe(open)
  })

  test('of none is always open, and opens never', () => {
    expect(isOpen([], '2026-01-01T00:00:00Z')).toBe(true)
    expect(nextOpening([], '2026-01-01T00:00:00Z')).toBeUndefined()
  })

  test('among several is enough, and the first to open is next', () => {
    const several = [...night, window('30 12 * * 6', '1h')]
    expect(isOpen(several, '2026-01-17T12:30:00Z')).toBe(true)
    expect(isOpen(several, '2026-01-17T13:30:00Z')).toBe(false)
    expect(nextOpening(several, '2026-01-17T10:00:00Z')).toBe('2026-01-17T12:30:00Z')
    expect(nextOpening(several, '2026-01-17T12:30:00Z')).toBe('2026-01-17T21:00:00Z')
  })

  test('that is longer than the time between two openings never closes', () => {
    const always = [window('0 */6 * * *', '7h')]
    expect(isOpen(always, '2026-01-17T05:59:59Z')).toBe(true)
    expect(isOpen(always, '2026-01-17T12:59:59Z')).toBe(true)
  })

  test('of several days is open on all of them', () => {
    const weekend = [window('0 18 * * 5', '60h', 'America/New_York')]
    expect(isOpen(weekend, '2026-01-19T10:59:59Z')).toBe(true)
    expect(isOpen(weekend, '2026-01-19T11:00:00Z')).toBe(false)
  })
})

describe('the leap day', () => {
  test('is waited for', () => {
    expect(nextOpening([window('0 3 29 2 *', '1h')], '2026-01-01T00:00:00Z')).toBe('2028-02-29T03:00:00Z')
    expect(nextOpening([window('0 3 29 2 *', '1h')], '2096-03-01T00:00:00Z')).toBe('2104-02-29T03:00:00Z')
  })

  test('is also waited for on a Monday', () => {
    expect(nextOpening([window('0 3 29 2 1', '1h')], '2024-03-01T00:00:00Z')).toBe('2044-02-29T03:00:00Z')
  })

  test('is the last of its month in leap years', () => {
    expect(nextOpening([window('0 0 L 2 *', '1h')], '2026-02-01T00:00:00Z')).toBe('2026-02-28T00:00:00Z')
    expect(nextOpening([window('0 0 L 2 *', '1h')], '2028-02-01T00:00:00Z')).toBe('2028-02-29T00:00:00Z')
  })
})

// Clocks go from 02:00 to 03:00 at 2026-03-29T01:00Z in Berlin and at 2026-03-08T07:00Z in New York, and back from 03:00
// and 02:00 at 2026-10-25T01:00Z and 2026-11-01T06:00Z.
describe('when clocks change', () => {
  test.each([
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-30T00:30:00Z'],
    ['America/New_York', '30 2 * * *', '2026-03-08T00:00:00Z', '2026-03-09T06:30:00Z'],
  ])('in %s a time that is skipped opens nothing: %s', (timeZone, cron, wall, next) => {
    expect(nextOpening([window(cron, '1h', timeZone)], wall)).toBe(next)
  })

  test.each([
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']],
    ['America/New_York', '30 1 * * *', '2026-10-31T12:00:00Z', ['2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z']],
  ])('in %s a time that comes twice opens once: %s', (timeZone, cron, wall, [first, second]) => {
    const windows = [window(cron, '30m', timeZone)]
    expect(nextOpening(windows, wall)).toBe(first)
    expect(nextOpening(windows, String(first))).toBe(second)
    expect(isOpen(windows, String(first))).toBe(true)
    expect(
      isOpen(
        windows,
        String(first).replace(/T0(\d)/, (_, hour) => `T0${Number(hour) + 1}`),
      ),
    ).toBe(false)
  })

  test('it lasts as long as ever', () => {
    // From 22:00, over the change: until 07:00 in spring, until 05:00 in autumn.
    expect(isOpen(night, '2026-03-29T04:59:59Z')).toBe(true)
    expect(isOpen(night, '2026-03-29T05:00:00Z')).toBe(false)
    expect(isOpen(night, '2026-10-25T03:59:59Z')).toBe(true)
    expect(isOpen(night, '2026-10-25T04:00:00Z')).toBe(false)
  })
})

test.each(['', 'yesterday', '2026-01-01T00:00:00+01:00', '2026-01-01'])('"%s" is no time', (wall) => {
  expect(() => isOpen(night, wall)).toThrow(RangeError)
})
