/** What the engine measures of detectors, keeps to, and takes with it through a restart. */
import { describe, expect, it } from 'vitest'
import { type Detector, type Finding, NotApplicable } from '../../detectors/contract.ts'
import type { DetectorMemory, Look, Shed } from '../../detectors/engine/engine.ts'
import type { Kept } from '../../detectors/engine/kept.ts'
import { VirtualClock } from '../../detectors/testing/virtual-clock.ts'
import { type Answer, scripted, start } from './scripted.ts'

describe('the cost of detectors', () => {
  it('is told of each look', async () => {
    const answers: Answer[] = [1, 9, new NotApplicable('no such thing'), new Error('EIO'), 'hang']
    const looks: Look[] = []
    const { clock } = start(
      [scripted('one', () => answers.shift() ?? 1).detector],
      {},
      { onLook: (look) => looks.push(look) },
    )
    await clock.advance(45_000)
    expect(looks.map(({ result }) => result)).toEqual(['ok', 'fault', 'not-applicable', 'unknown', 'timeout'])
    expect(looks.at(-1)).toMatchObject({ detector: 'one', durationMs: 2_000, stretch: 1 })
    expect(looks[0]?.sampleBytes).toBeGreaterThan(0)
  })

  it('makes one that runs out of time again and again look more rarely, until it is in time once', async () => {
    const answers: Answer[] = ['hang', 'hang', 'hang', 1]
    const { clock, reports } = start([scripted('slow', () => answers.shift() ?? 1).detector])
    await clock.advance(110_000)
    expect(reports.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      '3 slow ProbeFailed',
      '15 slow ProbeFailed',
      '37 slow ProbeFailed',
      '77 slow Ok',
      '87 slow Ok',
      '97 slow Ok',
      '107 slow Ok',
    ])
  })

  it('calls a look that ran out of time so, whatever the detector throws when it is told to stop', async () => {
    const looks: string[] = []
    const evasive: Detector = {
      ...scripted('evasive', () => 1).detector,
      sample: (_host, _options, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new NotApplicable('never mind')))
        }),
    }
    const { clock, reports } = start([evasive], {}, { onLook: ({ result }) => looks.push(result) })
    await clock.advance(5_000)
    expect([looks, reports]).toEqual([['timeout'], ['3 evasive ProbeFailed *']])
  })

  it('does not do so to one that is vital', async () => {
    const vital: Detector = { ...scripted('vital', () => 'hang').detector, importance: 'vital' }
    const { clock, reports } = start([vital])
    await clock.advance(40_000)
    expect(reports).toHaveLength(4)
  })

  it('above the budget makes the dearest look more rarely, says so, and makes what they said count for longer', async () => {
    const clock = new VirtualClock()
    const dear: Detector = {
      ...scripted('dear', () => 1).detector,
      async sample() {
        clock.used += 150
        return 1
      },
    }
    const told: (readonly Shed[])[] = []
    const ttls: number[] = []
    const { reports } = start(
      [dear],
      {},
      {
        onShed: (shed) => told.push(shed),
        onReport: ({ findings }) => ttls.push(findings[0]?.ttlMs ?? 0),
      },
      clock,
    )
    await clock.advance(60_000)
    expect(told).toEqual([[{ detector: 'dear', everyMs: 10_000, paceMs: 20_000 }]])
    // The third look was the last that was needed to know what it costs.
    expect(reports).toEqual(['1 dear Ok *', '11 dear Ok', '21 dear Ok', '21 dear Ok *', '41 dear Ok'])
    expect(ttls).toEqual([30_000, 30_000, 30_000, 60_000, 60_000])
  })

  it('in memory is bounded by keeping fewer samples', async () => {
    const past: number[] = []
    const large: Detector = {
      ...scripted('large', () => 1).detector,
      sample: async () => 'x'.repeat(1_000),
      judge: (_sample, _options, before) => {
        past.push(before.length)
        return []
      },
    }
    const { clock } = start([large], {}, { budget: { cpuShare: 1, sampleBytes: 5_000 } })
    await clock.advance(45_000)
    expect(past).toEqual([0, 1, 1, 1, 1])
  })
})

describe('a restart of the detector engine', () => {
  /** What was saved last. */
  function remembering() {
    const saved: ReadonlyMap<string, Kept>[] = []
    return {
      saved,
      memory: (kept: ReadonlyMap<string, Kept> = new Map()): DetectorMemory => ({
        kept: { isSameBoot: true, detectors: kept },
        save: async (state) => {
          saved.push(structuredClone(state))
        },
      }),
    }
  }

  it('goes on with the fault that was reported, under its id', async () => {
    const { saved, memory } = remembering()
    const clock = new VirtualClock()
    const first = start([scripted('one', () => 9).detector], {}, { memory: memory() }, clock)
    await clock.advance(22_000)
    const [before] = saved.at(-1)?.get('one')?.track.reported ?? []
    first.stop.abort()
    await first.engine.stopped
    const findings: unknown[] = []
    const onReport = (report: { findings: readonly unknown[] }) => findings.push(report.findings[0])
    start([scripted('one', () => 9).detector], {}, { memory: memory(saved.at(-1)), onReport }, clock)
    await clock.advance(2_000)
    const { id, since } = findings[0] as Finding
    expect(findings).toMatchObject([
      { reason: 'TooHigh', ttlMs: 29_000 },
      { reason: 'TooHigh', ttlMs: 30_000 },
    ])
    expect(findings).toMatchObject([
      { id, since },
      { id, since },
    ])
    expect(before).toBeDefined()
  })

  it('forgets nothing of a detector whose first look hangs', async () => {
    const { saved, memory } = remembering()
    const clock = new VirtualClock()
    const first = start([scripted('one', () => 9).detector], {}, { memory: memory() }, clock)
    await clock.advance(22_000)
    first.stop.abort()
    await first.engine.stopped
    const before = saved.at(-1)?.get('one')
    const next = start([scripted('one', () => 'ignore-abort').detector], {}, { memory: memory(saved.at(-1)) }, clock)
    await clock.advance(1_500)
    expect(next.engine.known().get('one')?.track.sightings).toEqual(before?.track.sightings)
    expect(before?.track.sightings).toHaveLength(1)
  })

  it('writes down at once what changed and the rest once a minute, and the end', async () => {
    const { saved, memory } = remembering()
    const { clock, stop, engine } = start([scripted('one', () => 1).detector], {}, { memory: memory() })
    await clock.advance(59_000)
    expect(saved).toHaveLength(1)
    await clock.advance(60_000)
    expect(saved).toHaveLength(2)
    stop.abort()
    await engine.stopped
    expect(saved).toHaveLength(3)
    expect(saved.at(-1)?.get('one')?.past).toHaveLength(10)
  })

  it('goes on when nothing can be written', async () => {
    const save = async () => {
      throw new Error('ENOSPC')
    }
    const { clock, reports } = start(
      [scripted('one', () => 1).detector],
      {},
      {
        memory: { kept: { isSameBoot: false, detectors: new Map() }, save },
      },
    )
    await clock.advance(25_000)
    expect(reports).toHaveLength(3)
  })
})
