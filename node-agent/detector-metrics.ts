/** What detectors cost and find, as metrics of the agent; names as in docs/contracts.md. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type Finding, SEVERITIES } from '../detectors/contract.ts'
import type { Look } from '../detectors/engine/engine.ts'

export interface DetectorMetrics {
  look(look: Look): void
  report(detector: string, findings: readonly Finding[]): void
}

interface Said {
  readonly findings: readonly Finding[]
  readonly heardMs: number
}

/** Seconds. Most looks take milliseconds; one that takes seconds hangs on something. */
const DURATION_BUCKETS = [0.005, 0.05, 0.5, 5]

/** 0 is well, then the severities in their order; unknown is -1, so that no threshold takes it for well or ill. */
function severityValue(finding: Finding): number {
  if (finding.status === 'unknown') return -1
  return (SEVERITIES as readonly string[]).indexOf(finding.status) + 1
}

/** `now`: monotonic, ms. */
export function createDetectorMetrics(registry: Registry, now: () => number): DetectorMetrics {
  const registers = [registry]
  const labelNames = ['detector']
  const said = new Map<string, Said>()
  new Gauge({
    name: 'starling_finding_severity',
    help: 'Worst finding by detector and reason: 0 ok, 1 info, 2 warn, 3 alarm, 4 error, -1 unknown',
    labelNames: ['detector', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const [detector, { findings, heardMs }] of said) {
        const ageMs = now() - heardMs
        // Not renewed in time: whoever looks here must not take it for how things are.
        for (const finding of findings) {
          const value = ageMs > finding.ttlMs ? -1 : severityValue(finding)
          this.set({ detector, reason: finding.reason }, value)
        }
      }
    },
  })
  const lastSuccess = new Gauge({
    name: 'starling_detector_last_success_timestamp_seconds',
    help: 'When the detector last saw what it looks at, or that there is no such thing',
    labelNames,
    registers,
  })
  const duration = new Histogram({
    name: 'starling_detector_duration_seconds',
    help: 'How long a look took, waiting included',
    labelNames,
    buckets: DURATION_BUCKETS,
    registers,
  })
  const runs = new Counter({
    name: 'starling_detector_runs_total',
    help: 'Looks by what they came to; shed: left out to keep to the budget, or since it kept running out of time',
    labelNames: ['detector', 'result'],
    registers,
  })
  const cpu = new Counter({
    name: 'starling_detector_cpu_seconds_total',
    help: 'Processor time of looks, estimated; without the programs that they run',
    labelNames,
    registers,
  })
  const stretch = new Gauge({
    name: 'starling_detector_interval_stretch',
    help: 'What the interval of the detector is multiplied by: 1 unless it is shed or keeps running out of time',
    labelNames,
    registers,
  })
  const bytes = new Gauge({
    name: 'starling_detector_sample_bytes',
    help: 'Size of a late sample, as it is written down',
    labelNames,
    registers,
  })
  return {
    look({ detector, result, durationMs, cpuMs, sampleBytes, stretch: factor }) {
      duration.observe({ detector }, durationMs / 1_000)
      runs.inc({ detector, result })
      // Of its usual looks all but one are left out until the next.
      if (factor > 1) runs.inc({ detector, result: 'shed' }, factor - 1)
      cpu.inc({ detector }, cpuMs / 1_000)
      stretch.set({ detector }, factor)
      bytes.set({ detector }, sampleBytes)
      if (result !== 'unknown' && result !== 'timeout') lastSuccess.setToCurrentTime({ detector })
    },
    report(detector, findings) {
      said.set(detector, { findings, heardMs: now() })
    },
  }
}
