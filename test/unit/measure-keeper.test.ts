/** Averages of minutes and hours on a node, through gaps, steps of the clock, and restarts. */
import { describe, expect, it } from 'vitest'
import { hourOf, MeasureKeeper } from '../../node-agent/measures/keeper.ts'

const MINUTE = 60_000
const wall = (text: string) => `2026-03-01T${text}Z`
const at = (ms: number, text = '10:00:00') => ({ ms, wall: wall(text) })

/** One reading each quarter of a minute. */
function filled(minutes: number, cpuOf: (minute: number) => number): MeasureKeeper {
  const keeper = new MeasureKeeper()
  for (let quarter = 0; quarter < minutes * 4; quarter++)
    keeper.take(at(quarter * 15_000), { cpu: cpuOf(Math.floor(quarter / 4)) }, 15_000)
  return keeper
}

describe('averages of minutes', () => {
  it('are weighted by the time that each reading stands for', () => {
    const keeper = new MeasureKeeper()
    keeper.take(at(5_000), { cpu: 10, memory: 40 }, 5_000)
    keeper.take(at(35_000), { cpu: 40 }, 30_000)
    expect(keeper.lastMinutes(at(50_000), 5)).toEqual([{ cpu: (10 * 5 + 40 * 30) / 35, memory: 40 }])
  })

  it('are of the last 60 minutes, the one that runs last, and a gap is a minute without figures', () => {
    const keeper = filled(90, (minute) => minute)
    expect(keeper.lastMinutes(at(90 * MINUTE - 1), 60).map(({ cpu }) => cpu)).toEqual(
      Array.from({ length: 60 }, (_, index) => 30 + index),
    )
    keeper.take(at(92 * MINUTE), { cpu: 7 }, 15_000)
    expect(keeper.lastMinutes(at(92 * MINUTE), 4)).toEqual([{ cpu: 89 }, {}, {}, { cpu: 7 }])
    expect(keeper.lastMinutes(at(900 * MINUTE), 60)).toEqual([])
  })

  it('of several together are over the whole ones, or over what there is before the first', () => {
    const keeper = filled(6, (minute) => minute)
    expect(keeper.average(at(6 * MINUTE - 1), 1)).toEqual({ cpu: 4 })
    expect(keeper.average(at(6 * MINUTE - 1), 5)).toEqual({ cpu: 2 })
    expect(filled(0.5, () => 9).average(at(20_000), 1)).toEqual({ cpu: 9 })
    expect(keeper.average(at(60 * MINUTE), 5)).toEqual({})
  })
})

describe('averages of hours', () => {
  const hour = hourOf(wall('10:00:00'))

  it('are told when they are over', () => {
    const keeper = new MeasureKeeper()
    keeper.take(at(1, '10:30:00'), { cpu: 10 }, 15_000)
    keeper.take(at(2, '10:59:59'), { cpu: 30 }, 15_000)
    expect(keeper.wholeHours(at(3, '10:59:59'), 0)).toEqual([])
    expect(keeper.wholeHours(at(3, '11:00:00'), 0)).toEqual([{ hour, averages: { cpu: 20 } }])
    expect(keeper.wholeHours(at(3, '11:00:00'), hour)).toEqual([])
  })

  it('go on where they were when the wall clock is set back', () => {
    const keeper = new MeasureKeeper()
    keeper.take(at(1, '10:59:50'), { cpu: 10 }, 15_000)
    keeper.take(at(2, '11:00:05'), { cpu: 50 }, 15_000)
    keeper.take(at(3, '10:10:00'), { cpu: 40 }, 15_000)
    expect(keeper.wholeHours(at(4, '12:00:00'), 0)).toEqual([
      { hour, averages: { cpu: 25 } },
      { hour: hour + 1, averages: { cpu: 50 } },
    ])
  })

  it('are the last 48, and a clock that is years ahead for a moment takes but one of them', () => {
    const keeper = new MeasureKeeper()
    for (let past = 60; past >= 1; past--) {
      const then = new Date(Date.parse(wall('10:00:00')) - past * 3_600_000).toISOString()
      keeper.take({ ms: 100 - past, wall: then }, { cpu: past }, 15_000)
    }
    keeper.take({ ms: 200, wall: '2099-01-01T00:00:00Z' }, { cpu: 1 }, 15_000)
    const told = keeper.wholeHours(at(300), 0)
    expect(told.map(({ hour: each }) => hour - each)).toEqual(Array.from({ length: 48 }, (_, index) => 48 - index))
  })

  it('are kept for a later life, which adds to the one that runs', () => {
    const earlier = new MeasureKeeper()
    earlier.take(at(1, '10:10:00'), { cpu: 10, load: 1 }, 15_000)
    const later = new MeasureKeeper()
    later.restore(earlier.encode())
    later.take(at(1, '10:20:00'), { cpu: 20 }, 15_000)
    expect(later.wholeHours(at(2, '11:00:00'), 0)).toEqual([{ hour, averages: { cpu: 15, load: 1 } }])
  })

  it('are not restored from what is damaged, in part or whole', () => {
    const keeper = new MeasureKeeper()
    keeper.take(at(1), { cpu: 10 }, 15_000)
    const bytes = keeper.encode()
    for (const damaged of [bytes.subarray(1), bytes.subarray(0, -1), new Uint8Array(), new Uint8Array(50).fill(0xfb)])
      expect(() => new MeasureKeeper().restore(damaged)).toThrow()
  })
})
