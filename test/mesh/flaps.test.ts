/** Each further verdict about a node doubles the beats that its recovery takes. */
import { expect, test } from 'vitest'
import { Flaps } from '../../mesh/core/flaps.ts'

const HOUR_MS = 3_600_000

test('a recovery takes 3, 6, 12, 24, 48 and then 60 beats, as verdicts come again', () => {
  const flaps = new Flaps(3)
  const beats = Array.from({ length: 7 }, (_, index) => {
    flaps.convicted(index * 60_000, 'a')
    return flaps.recoverBeats(index * 60_000, 'a')
  })
  expect(beats).toEqual([3, 6, 12, 24, 48, 60, 60])
  expect(flaps.recoverBeats(400_000, 'b')).toBe(3)
})

test('a verdict is no flap any more after an hour', () => {
  const flaps = new Flaps(3)
  flaps.convicted(0, 'a')
  flaps.convicted(10_000, 'a')
  flaps.convicted(20_000, 'a')
  expect([HOUR_MS - 1, HOUR_MS, HOUR_MS + 10_000].map((at) => flaps.recoverBeats(at, 'a'))).toEqual([12, 6, 3])
})
