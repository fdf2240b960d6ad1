/** Faults that come and go: what is reported of them, over any course of seen and not seen. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { FLAPPING_FROM, HOLD_MS_MAX, quietMs, WINDOW_MS, withGone } from '../../detectors/engine/flaps.ts'
import { type Absence, EMPTY_TRACK, stepTrack, type Track, type TrackContext } from '../../detectors/engine/track.ts'
import { momentAt } from '../../detectors/testing/virtual-clock.ts'

const EVERY_MS = 15_000

function contextOf(sustainMs: number, clearAfterMs: number): TrackContext {
  const times = { sustain: `${sustainMs}ms`, clearAfter: `${clearAfterMs}ms` } as const
  const reasons = { Down: { severity: 'alarm', summary: 'down', runbook: 'none', ...times } } as const
  return { node: 'node-7', detector: 'service', version: '1.2.3', ttlMs: 3 * EVERY_MS, reasons }
}

interface Look {
  readonly atMs: number
  readonly isSeen: boolean
  /** What is reported of the fault after this look; undefined when it is not reported. */
  readonly finding: Finding | undefined
}

/** One look each interval. */
function replay(context: TrackContext, course: readonly boolean[], absence: Absence = 'counts'): readonly Look[] {
  let track: Track = EMPTY_TRACK
  return course.map((isSeen, index) => {
    const atMs = index * EVERY_MS
    const judgements = isSeen ? [{ reason: 'Down', summary: 'it is down', evidence: [] }] : []
    track = stepTrack(context, track, momentAt(atMs), { kind: 'judged', judgements }, absence).track
    return { atMs, isSeen, finding: track.reported.find(({ reason }) => reason === 'Down') }
  })
}

const often = (times: number, ...parts: boolean[]) => Array(times).fill(parts).flat() as boolean[]
const quiet = (ms: number) => often(Math.ceil(ms / EVERY_MS) + 1, false)
const idsOf = (looks: readonly Look[]) => new Set(looks.flatMap(({ finding }) => finding?.id ?? []))

/** Quick ones and slow ones. */
const courses = fc
  .constantFrom(1, 4, 20, 200)
  .chain((max) => fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max })), { maxLength: 60, size: 'max' }))
  .map((runs) => runs.flatMap(([isSeen, length]) => often(length, isSeen)))
const lengths = fc.constantFrom(0, 5_000, 30_000, 60_000, 300_000)

describe('a fault that comes and goes', () => {
  it('is reported each time at first, and stays reported as flapping from the third on', () => {
    const looks = replay(contextOf(0, 0), often(4, true, false))
    expect(looks.map(({ finding }) => finding?.held ?? (finding === undefined ? 'gone' : 'seen'))).toEqual([
      ...['seen', 'gone', 'seen', 'gone'],
      ...['seen', 'flapping', 'seen', 'flapping'],
    ])
    expect(looks.at(-2)?.finding?.summary).toBe('it is down (flapping: gone 3 times within 1h)')
    expect(looks.at(-1)?.finding?.summary).toBe('it is down (flapping: gone 4 times within 1h; not seen for 0ms)')
  })

  it('is held the longer the more often it went, up to half an hour', () => {
    const holds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 99].map((times) => quietMs(times, 0, 45_000) / 60_000)
    expect(holds).toEqual([0, 0, 1.5, 3, 6, 12, 24, 30, 30, 30])
    expect(quietMs(99, 3_600_000, 45_000)).toBe(3_600_000)
  })

  it('flaps no more an hour later', () => {
    const looks = replay(contextOf(0, 0), [...often(4, true, false), ...quiet(WINDOW_MS), true, false])
    expect(looks.at(-1)?.finding).toBeUndefined()
  })

  it('is gone at once when somebody mended it', () => {
    const looks = replay(contextOf(0, 60_000), often(6, true, false), 'ends')
    expect(looks.filter(({ isSeen }) => !isSeen).every(({ finding }) => finding === undefined)).toBe(true)
  })

  it('stays as it is where a look cannot tell', () => {
    const looks = replay(contextOf(0, 0), [true, ...often(9, false)], 'says-nothing')
    expect(looks.every(({ finding }) => finding?.reason === 'Down' && finding.held === undefined)).toBe(true)
  })

  it('ends in the end, whatever came before', () =>
    fc.assert(
      fc.property(courses, lengths, lengths, (course, sustainMs, clearAfterMs) => {
        const rest = quiet(Math.max(HOLD_MS_MAX, clearAfterMs))
        expect(replay(contextOf(sustainMs, clearAfterMs), [...course, ...rest]).at(-1)?.finding).toBeUndefined()
      }),
    ))

  it('is never hidden: while it is seen for longer than its sustain it is reported, and as seen', () =>
    fc.assert(
      fc.property(courses, lengths, lengths, (course, sustainMs, clearAfterMs) => {
        let sinceMs: number | undefined
        for (const { atMs, isSeen, finding } of replay(contextOf(sustainMs, clearAfterMs), course)) {
          sinceMs = isSeen ? (sinceMs ?? atMs) : undefined
          if (sinceMs === undefined || atMs - sinceMs < sustainMs) continue
          expect(finding).toBeDefined()
          expect(finding?.held).toBeUndefined()
        }
      }),
    ))

  it('is never invented: without having been seen for its sustain it is not reported', () =>
    fc.assert(
      fc.property(courses, (course) => {
        // Never more than two looks in a row, which are 15 s apart.
        const noise = course.map((isSeen, index) => isSeen && index % 3 !== 0)
        expect(idsOf(replay(contextOf(30_000, 0), noise)).size).toBe(0)
      }),
    ))

  it('is one finding through gaps shorter than its clearAfter', () =>
    fc.assert(
      fc.property(courses, (course) => {
        const gappy = [...often(3, true), ...course.map((isSeen, index) => isSeen || index % 3 === 0)]
        expect(idsOf(replay(contextOf(30_000, 45_000), gappy)).size).toBe(1)
      }),
    ))

  it('is reported anew at most eight times an hour, whatever it does', () =>
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 240, maxLength: 240 }), (hour) => {
        // Twice free, then after holds of 1.5, 3, 6, 12 and 24 minutes at least.
        expect(idsOf(replay(contextOf(0, 0), hour)).size).toBeLessThanOrEqual(8)
      }),
    ))

  it('is remembered within bounds', () => {
    let flaps = withGone([], 0, [])
    for (let ms = 0; ms < 1_000; ms++) flaps = withGone(flaps, ms, [`cause ${ms}`, 'always'])
    expect(flaps.length).toBeLessThanOrEqual(256)
    expect(Math.max(...flaps.map(({ wentMs }) => wentMs.length))).toBeLessThanOrEqual(16)
    expect(flaps.find(({ key }) => key === 'always')?.wentMs.length).toBeGreaterThan(FLAPPING_FROM)
    expect(withGone(flaps, WINDOW_MS + 1_000, [])).toEqual([])
  })
})
