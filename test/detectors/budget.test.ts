/** Which detectors look more rarely when all together cost too much. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Budget, type Cost, keptSamples, shedLevels } from '../../detectors/engine/budget.ts'
import { CpuMeter } from '../../detectors/engine/cpu-meter.ts'
import { paceMs, stretchOf } from '../../detectors/engine/pace.ts'
import { momentAt } from '../../detectors/testing/virtual-clock.ts'

const BUDGET: Budget = { cpuShare: 0.01, sampleBytes: 1_000 }
const cost = (detector: string, cpuMs: number, about: Partial<Cost> = {}): Cost => ({
  detector,
  importance: 'usual',
  everyMs: 10_000,
  cpuMs,
  sampleBytes: 0,
  ...about,
})
const shed = (costs: readonly Cost[], levels: Record<string, number> = {}) =>
  Object.fromEntries(shedLevels(costs, new Map(Object.entries(levels)), BUDGET))

describe('the budget of detectors', () => {
  it('sheds nobody while it is kept', () => {
    expect(shed([cost('a', 50), cost('b', 50)])).toEqual({ a: 0, b: 0 })
  })

  it('sheds the dearest first, until it is kept', () => {
    expect(shed([cost('a', 40), cost('b', 90)])).toEqual({ a: 0, b: 1 })
    expect(shed([cost('a', 40), cost('b', 400)])).toEqual({ a: 0, b: 3 })
  })

  it('sheds what is extra before what is usual, and never what is vital', () => {
    const [a, b, c] = [
      cost('a', 90),
      cost('b', 30, { importance: 'extra' }),
      cost('c', 200, { importance: 'vital' }),
    ] as const
    expect(shed([a, b])).toEqual({ a: 0, b: 2 })
    expect(shed([a, b, c])).toEqual({ a: 3, b: 3, c: 0 })
  })

  it('lets those come back that fit well, the usual first', () => {
    const costs = [cost('a', 30), cost('b', 30, { importance: 'extra' })]
    expect(shed(costs, { a: 3, b: 3 })).toEqual({ a: 0, b: 0 })
    expect(shed([cost('a', 60), cost('b', 60, { importance: 'extra' })], { a: 2, b: 2 })).toEqual({ a: 0, b: 2 })
  })

  it('does not let one come back that would be shed again', () => {
    expect(shed([cost('a', 90)], { a: 1 })).toEqual({ a: 1 })
  })

  const anyCosts = fc
    .array(
      fc.record({
        importance: fc.constantFrom('vital' as const, 'usual' as const, 'extra' as const),
        everyMs: fc.constantFrom(1_000, 10_000, 60_000, 86_400_000),
        cpuMs: fc.double({ min: 0, max: 2_000, noNaN: true }),
        sampleBytes: fc.nat(2_000),
      }),
      { maxLength: 30 },
    )
    .map((list) => list.map((each, index): Cost => ({ detector: `d${index}`, ...each })))
  const anyLevels = fc.array(fc.nat(3), { minLength: 30, maxLength: 30 })

  it('is kept, or all that may be shed is; and what is decided twice stands until something changes', () =>
    fc.assert(
      fc.property(anyCosts, anyLevels, (costs, before) => {
        const levels = shedLevels(costs, new Map(before.map((level, index) => [`d${index}`, level])), BUDGET)
        const share = costs.reduce(
          (sum, { detector, cpuMs, everyMs }) => sum + cpuMs / paceMs(everyMs, 2 ** (levels.get(detector) ?? 0)),
          0,
        )
        const shedable = costs.filter(({ importance }) => importance !== 'vital')
        const isAllShed = shedable.every(({ detector }) => levels.get(detector) === 3)
        expect(share <= BUDGET.cpuShare || isAllShed).toBe(true)
        const settled = shedLevels(costs, levels, BUDGET)
        expect(shedLevels(costs, settled, BUDGET)).toEqual(settled)
      }),
    ))

  it('of memory leaves one sample to the largest that are not vital', () => {
    const [a, b, c] = [
      cost('a', 0, { sampleBytes: 60 }),
      cost('b', 0, { sampleBytes: 50 }),
      cost('c', 0, { sampleBytes: 20, importance: 'vital' }),
    ] as const
    expect(Object.fromEntries(keptSamples([a, b, c], BUDGET))).toEqual({ a: 1, b: 10, c: 10 })
    expect(Object.fromEntries(keptSamples([b, c], BUDGET))).toEqual({ b: 10, c: 10 })
  })
})

it('a detector looks at an eighth of its rate at the least, once a day at the least, and not less for one overrun', () => {
  expect([0, 1, 2, 3, 4, 99].map((overruns) => stretchOf(0, overruns))).toEqual([1, 1, 2, 4, 8, 8])
  expect([0, 1, 2, 3].map((level) => stretchOf(level, 2))).toEqual([2, 2, 4, 8])
  expect(paceMs(60_000, 8)).toBe(480_000)
  expect(paceMs(80_000_000, 8)).toBe(86_400_000)
})

describe('the processor time of a look', () => {
  function metered() {
    const now = { ms: 0, cpuMs: 0 }
    const meter = new CpuMeter({ now: () => momentAt(now.ms), cpuMs: () => now.cpuMs })
    const pass = (ms: number, cpuMs: number) => {
      now.ms += ms
      now.cpuMs += cpuMs
    }
    return { meter, pass }
  }

  it('is what the process used meanwhile, less what it uses at rest', () => {
    const { meter, pass } = metered()
    pass(1_000, 10)
    const look = meter.begin()
    pass(100, 21)
    expect(meter.end(look)).toBeCloseTo(20)
  })

  it('is shared by looks at the same time', () => {
    const { meter, pass } = metered()
    const long = meter.begin()
    pass(10, 10)
    const short = meter.begin()
    pass(10, 10)
    expect(meter.end(short)).toBeCloseTo(5)
    pass(10, 10)
    expect(meter.end(long)).toBeCloseTo(25)
  })

  it('is nothing for one that only waits', () => {
    const { meter, pass } = metered()
    pass(1_000, 10)
    const look = meter.begin()
    pass(10_000, 90)
    expect(meter.end(look)).toBe(0)
  })
})
