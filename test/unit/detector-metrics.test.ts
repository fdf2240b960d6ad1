/** The agent's metrics of its detectors, as Prometheus would read them. */
import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import type { Look } from '../../detectors/engine/engine.ts'
import { createDetectorMetrics, type DetectorMetrics } from '../../node-agent/detector-metrics.ts'

let registry: Registry
let metrics: DetectorMetrics
let nowMs: number
beforeEach(() => {
  registry = new Registry()
  nowMs = 0
  metrics = createDetectorMetrics(registry, () => nowMs)
})

const lines = async (name: string) =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(`starling_${name}{`))
const look = (about: Partial<Look>): Look => ({
  detector: 'conntrack',
  result: 'ok',
  durationMs: 20,
  cpuMs: 5,
  sampleBytes: 64,
  stretch: 1,
  ...about,
})
const finding = (reason: string, status: Finding['status']): Finding => ({
  id: reason,
  node: 'a',
  detector: 'conntrack',
  reason,
  cause: '',
  status,
  summary: '',
  evidence: [],
  since: '',
  observedAt: '',
  ttlMs: 90_000,
})

it('count looks by what they came to, and those that were left out', async () => {
  for (const result of ['ok', 'ok', 'fault', 'timeout'] as const) metrics.look(look({ result }))
  metrics.look(look({ stretch: 4 }))
  expect(await lines('detector_runs_total')).toEqual([
    'starling_detector_runs_total{detector="conntrack",result="ok"} 3',
    'starling_detector_runs_total{detector="conntrack",result="fault"} 1',
    'starling_detector_runs_total{detector="conntrack",result="timeout"} 1',
    'starling_detector_runs_total{detector="conntrack",result="shed"} 3',
  ])
  expect(await lines('detector_interval_stretch')).toEqual([
    'starling_detector_interval_stretch{detector="conntrack"} 4',
  ])
})

it('tell how long looks take, what they cost and when one last succeeded', async () => {
  metrics.look(look({ result: 'unknown' }))
  expect(await lines('detector_last_success_timestamp_seconds')).toEqual([])
  metrics.look(look({}))
  expect(await lines('detector_last_success_timestamp_seconds')).toHaveLength(1)
  expect(await lines('detector_duration_seconds_count')).toEqual([
    'starling_detector_duration_seconds_count{detector="conntrack"} 2',
  ])
  expect(await lines('detector_cpu_seconds_total')).toEqual([
    'starling_detector_cpu_seconds_total{detector="conntrack"} 0.01',
  ])
  expect(await lines('detector_sample_bytes')).toEqual(['starling_detector_sample_bytes{detector="conntrack"} 64'])
})

it('show a finding as unknown once it was not renewed in time, and nothing of one that is gone', async () => {
  metrics.report('conntrack', [finding('ConntrackLow', 'warn')])
  const severity = (value: number) => [`starling_finding_severity{detector="conntrack",reason="ConntrackLow"} ${value}`]
  nowMs = 90_000
  expect(await lines('finding_severity')).toEqual(severity(2))
  nowMs = 90_001
  expect(await lines('finding_severity')).toEqual(severity(-1))
  metrics.report('conntrack', [finding('Ok', 'ok')])
  expect(await lines('finding_severity')).toEqual(['starling_finding_severity{detector="conntrack",reason="Ok"} 0'])
  metrics.report('conntrack', [])
  expect(await lines('finding_severity')).toEqual([])
})
