import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Finding, Judgement } from '../../detectors/contract.ts'
import { EMPTY_TRACK, type RunResult, stepTrack, type Track, type TrackContext } from '../../detectors/engine/track.ts'
import { momentAt } from '../../detectors/testing/virtual-clock.ts'

const context: TrackContext = {
  node: 'node-7',
  detector: 'disk',
  version: '1.2.3',
  ttlMs: 45_000,
  reasons: {
    Low: { severity: 'warn', summary: 'low', sustain: '30s', runbook: 'disk' },
    Full: { severity: 'alarm', summary: 'full', sustain: '15s', runbook: 'disk', supersedes: 'Low' },
    Broken: { severity: 'error', summary: 'broken', sustain: '0s', runbook: 'disk' },
    Sticky: { severity: 'warn', summary: 'sticky', sustain: '0s', clearAfter: '1m', runbook: 'disk' },
  },
}

const saw = (...judgements: (string | [reason: string, cause: string])[]): RunResult => ({
  kind: 'judged',
  judgements: judgements.map((given): Judgement => {
    const [reason, cause] = typeof given === 'string' ? [given, ''] : given
    return { reason, cause, summary: `${reason} ${cause}`, evidence: [] }
  }),
})
const failed: RunResult = { kind: 'failed', why: 'EIO' }
const absent: RunResult = { kind: 'not-applicable', why: 'no disk' }

const brief = ({ status, reason, cause, since }: Finding) =>
  `${status} ${reason}${cause === '' ? '' : ` ${cause}`} since ${Date.parse(since) / 1_000 - Date.UTC(2026, 0, 1) / 1_000}`

/** What is reported after each run, given as [seconds, result]. */
function replay(...runs: [seconds: number, result: RunResult][]) {
  let track: Track = EMPTY_TRACK
  return runs.map(([seconds, result]) => {
    const step = stepTrack(context, track, momentAt(seconds * 1_000), result)
    track = step.track
    return { reported: track.reported.map(brief), seen: step.seen.map(brief), changed: step.changed, track }
  })
}
const reported = (...runs: [number, RunResult][]) => replay(...runs).map((step) => step.reported)

describe('a track', () => {
  it('says Ok once, since the first time', () => {
    expect(reported([0, saw()], [15, saw()])).toEqual([['ok Ok since 0'], ['ok Ok since 0']])
  })

  it('reports a fault when it has been seen for its sustain, since it was first seen', () => {
    expect(reported([0, saw()], [15, saw('Low')], [30, saw('Low')], [45, saw('Low')])).toEqual([
      ['ok Ok since 0'],
      ['ok Ok since 0'],
      ['ok Ok since 0'],
      ['warn Low since 15'],
    ])
  })

  it('reports a fault gone when it has been gone for its sustain, the same fault when it comes back before', () => {
    const beginning: [number, RunResult][] = [
      [0, saw('Low')],
      [30, saw('Low')],
    ]
    expect(reported(...beginning, [45, saw()], [60, saw()], [75, saw()]).slice(2)).toEqual([
      ['warn Low since 0'],
      ['warn Low since 0'],
      ['ok Ok since 75'],
    ])
    expect(reported(...beginning, [45, saw()], [60, saw('Low')], [75, saw()], [90, saw()]).slice(2)).toEqual(
      Array(4).fill(['warn Low since 0']),
    )
  })

  it('reports a fault gone after another time where its reason names one', () => {
    const runs: [number, RunResult][] = [
      [0, saw('Sticky')],
      [15, saw()],
      [74, saw()],
      [75, saw()],
    ]
    expect(reported(...runs)).toEqual([...Array(3).fill(['warn Sticky since 0']), ['ok Ok since 75']])
  })

  it('says of a fault that is not seen any more that it is held, and how it was', () => {
    const [, , held] = replay([0, saw('Low')], [30, saw('Low')], [45, saw()], [60, saw()])
    expect(held?.track.reported[0]).toMatchObject({ held: 'clearing', summary: 'Low  (not seen for 0ms)' })
    expect(held?.seen).toEqual(['ok Ok since 45'])
    expect(held?.changed).toBe(false)
  })

  it('keeps counting the time that it is gone while it cannot look, so that it always ends', () => {
    const runs: [number, RunResult][] = [
      [0, saw('Sticky')],
      [15, saw()],
      [30, failed],
      [200, failed],
      [215, saw()],
    ]
    expect(reported(...runs).at(-1)).toEqual(['ok Ok since 215'])
  })

  it('reports a fault without sustain at first sight', () => {
    expect(reported([0, saw('Broken')])).toEqual([['error Broken since 0']])
  })

  it('starts over when the fault was gone in between', () => {
    expect(reported([0, saw('Low')], [15, saw('Low')], [20, saw()], [30, saw('Low')], [45, saw('Low')]).at(-1)).toEqual(
      ['ok Ok since 0'],
    )
  })

  it('does not take two sightings far apart for one streak', () => {
    expect(reported([0, saw('Low')], [46, saw('Low')])).toEqual([['ok Ok since 0'], ['ok Ok since 0']])
    expect(reported([0, saw('Low')], [45, saw('Low')]).at(-1)).toEqual(['warn Low since 0'])
  })

  it('keeps the causes of one reason apart', () => {
    const steps = reported(
      [0, saw(['Low', '/'])],
      [20, saw(['Low', '/'], ['Low', '/var'])],
      [40, saw(['Low', '/'], ['Low', '/var'])],
      [60, saw(['Low', '/var'])],
      [90, saw(['Low', '/var'])],
    )
    expect(steps[2]).toEqual(['warn Low / since 0'])
    expect(steps[3]).toEqual(['warn Low /var since 20', 'warn Low / since 0'])
    expect(steps[4]).toEqual(['warn Low /var since 20'])
  })

  it('gives each finding one id while it lasts, and another one when it comes back', () => {
    const ids = replay([0, saw('Broken')], [15, saw('Broken')], [30, saw()], [45, saw('Broken')]).map(
      ({ track }) => track.reported[0]?.id,
    )
    expect(ids).toEqual([
      'node-7/disk/Broken/#2026-01-01T00:00:00.000Z',
      'node-7/disk/Broken/#2026-01-01T00:00:00.000Z',
      'node-7/disk/Ok/#2026-01-01T00:00:30.000Z',
      'node-7/disk/Broken/#2026-01-01T00:00:45.000Z',
    ])
  })

  it('shows the worse reason alone, and the milder one again without a gap', () => {
    const both = saw('Low', 'Full')
    const low = saw('Low')
    expect(reported([0, low], [30, low], [40, both], [55, both], [70, low], [85, low])).toEqual([
      ['ok Ok since 0'],
      ['warn Low since 0'],
      ['warn Low since 0'],
      ['alarm Full since 40'],
      ['alarm Full since 40'],
      ['warn Low since 0'],
    ])
  })

  it('supersedes within one cause only', () => {
    const seen = replay([0, saw(['Low', '/'], ['Full', '/var'])])[0]?.seen
    expect(seen).toEqual(['alarm Full /var since 0', 'warn Low / since 0'])
  })

  it('lists the worst first', () => {
    expect(replay([0, saw('Low', 'Broken')])[0]?.seen).toEqual(['error Broken since 0', 'warn Low since 0'])
  })

  it('says unknown in place of everything while it cannot look, and goes on with the same fault', () => {
    expect(reported([0, saw('Broken')], [15, failed], [30, failed], [45, saw('Broken')])).toEqual([
      ['error Broken since 0'],
      ['unknown ProbeFailed since 15'],
      ['unknown ProbeFailed since 15'],
      ['error Broken since 0'],
    ])
  })

  it('does not count a look that failed towards a sustain', () => {
    expect(reported([0, saw('Low')], [15, failed], [30, saw('Low')], [45, saw('Low')], [60, saw('Low')])).toEqual([
      ['ok Ok since 0'],
      ['unknown ProbeFailed since 15'],
      ['ok Ok since 30'],
      ['ok Ok since 30'],
      ['warn Low since 30'],
    ])
  })

  it('ends every fault when the thing does not exist', () => {
    expect(reported([0, saw('Broken')], [15, absent], [30, saw('Broken')])).toEqual([
      ['error Broken since 0'],
      ['not-applicable NotApplicable since 15'],
      ['error Broken since 30'],
    ])
  })

  it('tells what was seen apart from what is reported', () => {
    const [step] = replay([0, saw('Low')])
    expect(step?.seen).toEqual(['warn Low since 0'])
    expect(step?.reported).toEqual(['ok Ok since 0'])
  })

  it('calls changed what begins or ends, not new figures', () => {
    const steps = replay([0, saw()], [15, saw()], [30, saw('Broken')], [45, saw('Broken')], [60, failed], [75, saw()])
    expect(steps.map(({ changed }) => changed)).toEqual([true, false, true, false, true, true])
  })

  it('renews findings: when it was observed, and for how long that counts', () => {
    const finding = replay([0, saw('Broken')], [15, saw('Broken')])[1]?.track.reported[0]
    expect(finding).toMatchObject({ observedAt: '2026-01-01T00:00:15.000Z', ttlMs: 45_000 })
  })

  it('reports at most 64 findings', () => {
    const many = Array.from({ length: 500 }, (_, index): [string, string] => ['Broken', `${index}`])
    expect(replay([0, saw(...many)])[0]?.reported).toHaveLength(64)
  })

  it('always has something to say, has each id once, and leaves the track it was given alone', () => {
    const result = fc.oneof(
      fc.constant(failed),
      fc.constant(absent),
      fc
        .array(fc.tuple(fc.constantFrom('Low', 'Full', 'Broken'), fc.constantFrom('', '/', '/var')), { maxLength: 6 })
        .map((pairs) => saw(...(pairs as [string, string][]))),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), result), { maxLength: 20 }), (runs) => {
        let track: Track = EMPTY_TRACK
        let ms = 0
        for (const [seconds, given] of runs) {
          ms += seconds * 1_000
          const frozen = JSON.stringify(track)
          const step = stepTrack(context, track, momentAt(ms), given)
          expect(JSON.stringify(track)).toBe(frozen)
          const ids = step.track.reported.map(({ id }) => id)
          expect(ids.length).toBeGreaterThan(0)
          expect(new Set(ids).size).toBe(ids.length)
          const statuses = step.track.reported.map(({ status }) => status)
          if (given.kind === 'failed') expect(statuses).toEqual(['unknown'])
          else expect(statuses).not.toContain('unknown')
          track = step.track
        }
      }),
    )
  })
})
