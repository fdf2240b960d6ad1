/**
 * Runs detectors on a host, each at its own interval. Schedule, timeout, debounce and expiry are here (runner.ts,
 * probe.ts, track.ts), so that a detector is nothing but what to look at and what to make of it.
 */
import { type Log, silentLog } from '../../common/log.ts'
import type { Detector, Finding, Host } from '../contract.ts'
import { type Clock, systemClock } from './clock.ts'
import { readDetectorOptions } from './options.ts'
import { type DetectorReport, DetectorRunner } from './runner.ts'

export type { DetectorReport } from './runner.ts'

export interface DetectorsInit {
  readonly host: Host
  readonly detectors: readonly Detector[]
  /** Of the program, and so of each detector that has none of its own. */
  readonly version: string
  /** By detector name; see options.ts. Checked here, so it may come straight from a document. */
  readonly options: unknown
  /** Called after each run of each detector, changed or not: a report also renews findings before they expire. */
  readonly onReport: (report: DetectorReport) => void
  /** Stops every detector; the look in progress is given up and not reported. */
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly log?: Log
}

export interface DetectorEngine {
  /**
   * Looks now and returns everything that is seen, whether sustained or not: the way to verify a fix. Waits for a look
   * in progress, at most the detector's timeout. Rejects when there is no such detector or it is switched off.
   */
  runNow(detector: string): Promise<readonly Finding[]>
  /** Throws a UsageError, with everything as it was, when `options` are not valid; else every detector uses them at once. */
  reconfigure(options: unknown): void
  /** Resolves when all detectors have stopped. */
  readonly stopped: Promise<void>
}

/** Throws a UsageError when `options` are not valid, before anything runs. */
export function startDetectors(init: DetectorsInit): DetectorEngine {
  const { host, detectors, version, onReport, signal, clock = systemClock, log = silentLog } = init
  const settings = readDetectorOptions(detectors, init.options)
  const runners = new Map<string, DetectorRunner>()
  for (const detector of detectors) {
    const setting = settings.get(detector.name)
    if (setting !== undefined) {
      runners.set(detector.name, new DetectorRunner(detector, setting, { host, version, clock, log, onReport }))
    }
  }
  const stopAll = () => {
    for (const runner of runners.values()) runner.stop()
  }
  if (signal.aborted) stopAll()
  else signal.addEventListener('abort', stopAll, { once: true })
  const stopped = Promise.all([...runners.values()].map((runner) => runner.start())).then(() => {})

  return {
    stopped,
    async runNow(name) {
      const runner = runners.get(name)
      if (runner === undefined) throw new Error(`there is no detector ${name}`)
      if (!runner.enabled) throw new Error(`detector ${name} is switched off`)
      return runner.look()
    },
    reconfigure(options) {
      const next = readDetectorOptions(detectors, options)
      for (const [name, setting] of next) runners.get(name)?.reconfigure(setting)
    },
  }
}
