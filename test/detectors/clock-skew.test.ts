import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockSkew } from '../../detectors/clock-skew.ts'
import { NotApplicable, type PeerOffset } from '../../detectors/contract.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const peers = (offsets: readonly number[], errorMs = 1): readonly PeerOffset[] =>
  offsets.map((offsetMs, index) => ({ node: `node-${index}`, offsetMs, errorMs }))
const judged = (offsets: readonly number[], errorMs = 1, options: unknown = {}) =>
  look(clockSkew, { ...fixtureHost('empty'), peerOffsets: () => peers(offsets, errorMs) }, options)

describe('clock-skew', () => {
  it('says nothing of a clock that agrees with its peers', async () => {
    expect(await judged([-3, 2, 5, 8])).toEqual([])
  })

  it.each([
    [100, []],
    [101, ['ClockSkewed']],
    [1_000, ['ClockSkewed']],
    [1_001, ['ClockSkewed', 'ClockFarOff']],
    [10_001, ['ClockSkewed', 'ClockFarOff', 'ClockUnusable']],
    [-10_001, ['ClockSkewed', 'ClockFarOff', 'ClockUnusable']],
  ])('judges a median of %d ms as %j', async (median, expected) => {
    expect(reasons(await judged([median, median, median]))).toEqual(expected)
  })

  it('says which way the clock is off, and how sure that is', async () => {
    expect(summaries(await judged([480, 500, 520], 40))).toEqual([
      'this clock is 500 ms behind the median of 3 peers, give or take 40 ms',
    ])
    expect(summaries(await judged([-500, -500, -500], 0))).toEqual([
      'this clock is 500 ms ahead of the median of 3 peers, give or take 0 ms',
    ])
  })

  it('accuses nobody within the error of measurement', async () => {
    expect(await judged([500, 500, 500], 500)).toEqual([])
    expect(reasons(await judged([500, 500, 500], 499))).toEqual(['ClockSkewed'])
  })

  it('is not misled by a minority of peers with a wrong clock', async () => {
    expect(await judged([0, 1, 3_600_000])).toEqual([])
    expect(await judged([0, 1, 2, -3_600_000, -3_600_000])).toEqual([])
  })

  it('takes the middle between the two middle ones of an even number', async () => {
    expect((await judged([0, 200, 400, 600]))[0]?.evidence[0]?.value).toBe(300)
  })

  it('bounds the error of the median', () => {
    const offset = fc.record({
      trueMs: fc.integer({ min: -5_000, max: 5_000 }),
      errorMs: fc.nat(500),
      at: fc.double({ min: -1, max: 1, noNaN: true }),
    })
    return fc.assert(
      fc.asyncProperty(fc.array(offset, { minLength: 3, maxLength: 11 }), async (measured) => {
        const measuredPeers = measured.map(({ trueMs, errorMs, at }, index) => ({
          node: `node-${index}`,
          offsetMs: trueMs + at * errorMs,
          errorMs,
        }))
        const [sample] = await clockSkew.sample(
          fixtureHost('empty', { peers: measuredPeers }),
          clockSkew.options.parse({}),
          new AbortController().signal,
        )
        const sorted = measured.map(({ trueMs }) => trueMs).toSorted((a, b) => a - b)
        const half = sorted.length / 2
        const trueMedian = ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2
        expect(Math.abs(trueMedian - (sample?.ms ?? Number.NaN))).toBeLessThanOrEqual((sample?.errorMs ?? 0) + 1e-6)
      }),
    )
  })

  const TRACKING = '/usr/bin/chronyc -n -c tracking'
  const chronyd = (behindS: string, leap = 'Normal') => ({
    [TRACKING]: {
      stdout: `C0000201,192.0.2.1,3,1795307662.41,${behindS},0.0,0.0,177.8,2.5,42.8,0.200000000,0.100000000,64.2,${leap}\n`,
    },
    '/usr/bin/chronyc -n -c sources': { stdout: '^,*,192.0.2.1,2,6,377,12,0.0,0.0,0.0\n' },
  })

  it('takes what the time daemon measures when no peers are measured', async () => {
    const host = (behindS: string, leap?: string) => fixtureHost('empty', { commands: chronyd(behindS, leap) })
    expect(summaries(await look(clockSkew, host('1.500000000')))[0]).toBe(
      'this clock is 1500 ms behind the reference 192.0.2.1 of chronyd, give or take 200 ms',
    )
    expect(reasons(await look(clockSkew, host('-1.500000000')))).toEqual(['ClockSkewed', 'ClockFarOff'])
    // Dispersion and half of the delay to the root: it may be as wrong as that.
    expect(await look(clockSkew, host('0.199000000'))).toEqual([])
    await expect(look(clockSkew, host('1.5', 'Not synchronised'))).rejects.toThrow(NotApplicable)
  })

  it('finds a clock that agrees with its peers and not with its servers, and the other way round, once', async () => {
    const both = (offset: number, behindS: string) =>
      look(clockSkew, fixtureHost('empty', { peers: [...peers([offset, offset, offset])], commands: chronyd(behindS) }))
    expect(summaries(await both(0, '0.700000000'))).toEqual([
      'this clock is 700 ms behind the reference 192.0.2.1 of chronyd, give or take 200 ms',
    ])
    expect(summaries(await both(-600, '0.000000000'))).toEqual([
      'this clock is 600 ms ahead of the median of 3 peers, give or take 1 ms',
    ])
    expect(reasons(await both(600, '0.700000000'))).toEqual(['ClockSkewed'])
  })

  it('goes by the peers when the time daemon answers nonsense, and knows nothing without them', async () => {
    const commands = { [TRACKING]: { stdout: 'C0000201,192.0' } }
    expect(reasons(await look(clockSkew, fixtureHost('clock-skew/bad', { commands })))).toContain('ClockUnusable')
    const failure = look(clockSkew, fixtureHost('empty', { commands }))
    await expect(failure).rejects.toThrow('chronyc tracking answered "C0000201,192.0"')
  })

  it('does not apply with too few peers measured', async () => {
    await expect(judged([5_000, 5_000])).rejects.toThrow(NotApplicable)
    await expect(judged([5_000, 5_000, Number.NaN])).rejects.toThrow('2 peers have been measured, and it takes 3')
    await expect(judged([1, 2, 3], 1, { minPeers: 5 })).rejects.toThrow(NotApplicable)
  })

  it('refuses thresholds out of order, and what is no duration', () => {
    expect(clockSkew.options.safeParse({ warn: '2s' }).success).toBe(false)
    expect(clockSkew.options.safeParse({ alarm: '20s' }).success).toBe(false)
    expect(clockSkew.options.safeParse({ warn: 'soon' }).success).toBe(false)
    expect(clockSkew.options.safeParse({ minPeers: 2 }).success).toBe(false)
  })
})
