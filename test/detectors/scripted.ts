/** Detectors that answer as a test tells them, and an engine of them on virtual time. */
import { z } from 'zod'
import { type Detector, defineDetector } from '../../detectors/contract.ts'
import { type DetectorsInit, startDetectors } from '../../detectors/engine/engine.ts'
import { VirtualClock } from '../../detectors/testing/virtual-clock.ts'
import { fixtureHost } from './fixture-host.ts'

export type Answer = number | Error | 'hang' | 'ignore-abort'

/** A detector that answers as it is told, and is at fault above its limit. */
export function scripted(
  name: string,
  answer: () => Answer,
): { detector: Detector; calls: () => number; release: () => void } {
  let calls = 0
  let release = () => {}
  const detector = defineDetector({
    name,
    summary: 'for tests',
    every: '10s',
    timeout: '2s',
    needs: [],
    touches: {},
    options: z.strictObject({ limit: z.number().default(5) }),
    reasons: { TooHigh: { severity: 'warn', summary: 'too high', sustain: '20s', runbook: 'none' } },
    async sample(_host, _options, signal) {
      calls++
      const given = answer()
      if (given instanceof Error) throw given
      if (given === 'hang' || given === 'ignore-abort') {
        await new Promise<void>((resolve, reject) => {
          release = resolve
          if (given === 'hang') signal.addEventListener('abort', () => reject(signal.reason))
        })
        return 0
      }
      return given
    },
    judge: (value, { limit }, past) =>
      value > limit ? [{ reason: 'TooHigh', summary: `${[value, ...past].join(' ')}`, evidence: [] }] : [],
  })
  return { detector, calls: () => calls, release: () => release() }
}

type More = Partial<Pick<DetectorsInit, 'host' | 'onReport' | 'onLook' | 'onShed' | 'memory' | 'budget'>>

/** Starts an engine, and writes down what it reports: the second, the detector, the reasons, and `*` for what is new. */
export function start(
  detectors: readonly Detector[],
  options: unknown = {},
  more: More = {},
  clock = new VirtualClock(),
) {
  const { onReport, ...others } = more
  const reports: string[] = []
  const stop = new AbortController()
  const engine = startDetectors({
    host: fixtureHost('empty'),
    detectors,
    version: '1.2.3',
    options,
    clock,
    signal: stop.signal,
    ...others,
    onReport: (report) => {
      const { detector, findings, changed } = report
      reports.push(
        `${clock.now().ms / 1_000} ${detector} ${findings.map(({ reason }) => reason)}${changed ? ' *' : ''}`,
      )
      onReport?.(report)
    },
  })
  return { clock, reports, stop, engine }
}
