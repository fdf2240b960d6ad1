/** The last hour of one host, minute by minute: windows, gaps, lives of the host, and answers that come late or twice. */
import { describe, expect, it } from 'vitest'
import { LATE_MS, MinuteRing } from '../../../aggregator/measures/minutes.ts'

const MINUTE = 60_000

/** Minutes 0 to `minutes` - 1 with their numbers as figures; the last was just over. It is then `minutes` * MINUTE. */
function filled(minutes: number): MinuteRing {
  const ring = new MinuteRing(2)
  for (let minute = 0; minute < minutes; minute++) ring.put(minute, MINUTE, (minute + 1) * MINUTE, [[minute, 1]])
  return ring
}

describe('the average over a time', () => {
  it('is of its minutes, and says how much of it is known', () => {
    const ring = filled(100)
    const now = 100 * MINUTE
    expect(ring.average(0, MINUTE, now)).toEqual({ value: 99, coveredMs: MINUTE })
    expect(ring.average(0, 5 * MINUTE, now)).toEqual({ value: 97, coveredMs: 5 * MINUTE })
    expect(ring.average(0, 60 * MINUTE, now)).toEqual({ value: 69.5, coveredMs: 60 * MINUTE })
    expect(ring.average(1, 60 * MINUTE, now)?.value).toBe(1)
    expect(filled(2).average(0, 60 * MINUTE, 2 * MINUTE)).toEqual({ value: 0.5, coveredMs: 2 * MINUTE })
  })

  it('counts the minute that runs for as much of it as has passed', () => {
    const ring = filled(10)
    ring.put(10, 30_000, 10.5 * MINUTE, [[100, 1]])
    expect(ring.average(0, MINUTE, 10.5 * MINUTE)).toEqual({ value: (100 + 9) / 2, coveredMs: MINUTE })
  })

  it('passes over minutes and figures of which nothing is known', () => {
    const ring = new MinuteRing(2)
    ring.put(4, MINUTE, 5 * MINUTE, [
      [10, 1],
      [undefined, 1],
      [undefined, undefined],
      [40, 1],
    ])
    expect(ring.average(0, 4 * MINUTE, 5 * MINUTE)).toEqual({ value: 25, coveredMs: 2 * MINUTE })
    expect(ring.average(1, 4 * MINUTE, 5 * MINUTE)).toEqual({ value: 1, coveredMs: 3 * MINUTE })
    ring.put(8, MINUTE, 9 * MINUTE, [[80, 1]])
    expect(ring.average(0, 5 * MINUTE, 9 * MINUTE)).toEqual({ value: 60, coveredMs: 2 * MINUTE })
  })

  it('never takes what is old for what is new', () => {
    const ring = filled(100)
    const silentFor = (ms: number, over: number) => ring.average(0, over, 100 * MINUTE + ms)
    expect(silentFor(LATE_MS - 1, MINUTE)).toEqual({ value: 99, coveredMs: MINUTE })
    expect(silentFor(LATE_MS + MINUTE, MINUTE)).toBeUndefined()
    expect(silentFor(5 * MINUTE, 5 * MINUTE)).toEqual({ value: 98.5, coveredMs: 2 * MINUTE })
    expect(silentFor(63 * MINUTE, 60 * MINUTE)).toBeUndefined()
    expect(new MinuteRing(2).average(0, MINUTE, 0)).toBeUndefined()
  })
})

describe('what is put', () => {
  it('twice changes nothing, and fills what was missed', () => {
    const ring = filled(3)
    ring.put(5, MINUTE, 6 * MINUTE, [
      [3, 1],
      [4, 1],
      [5, 1],
    ])
    ring.put(5, MINUTE, 6 * MINUTE, [
      [3, 1],
      [4, 1],
      [5, 1],
    ])
    expect(ring.average(0, 6 * MINUTE, 6 * MINUTE)).toEqual({ value: 2.5, coveredMs: 6 * MINUTE })
  })

  it('late, after a later answer, has nothing to add', () => {
    const ring = filled(6)
    ring.put(4, MINUTE, 6 * MINUTE, [[99, 1]])
    expect(ring.average(0, 2 * MINUTE, 6 * MINUTE)?.value).toBe(4.5)
  })

  it('of another life of the host leaves nothing of the one before, whether its numbers are smaller or larger', () => {
    for (const minute of [3, 5_000]) {
      const ring = filled(100)
      ring.put(minute, MINUTE, 101 * MINUTE, [[7, 1]])
      expect(ring.average(0, 60 * MINUTE, 101 * MINUTE)).toEqual({ value: 7, coveredMs: MINUTE })
    }
  })

  it('with a number beyond all reason takes no time, and harms nobody else', () => {
    const ring = filled(10)
    ring.put(Number.MAX_SAFE_INTEGER, 0, 10 * MINUTE, [[1, 1]])
    ring.put(10, MINUTE, 11 * MINUTE, [[10, 1]])
    expect(ring.average(0, MINUTE, 11 * MINUTE)).toEqual({ value: 10, coveredMs: MINUTE })
  })
})
