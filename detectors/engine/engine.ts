/**
 * Runs detectors on a host, each at its own interval. Schedule, timeout, debounce, expiry, memory and budget are here
 * (runner.ts, probe.ts, track.ts, kept.ts, shedding.ts), so that a detector is nothing but what to look at and what to make
 * of it.
 */
import { inLanes } from '../../common/in-lanes.ts'
import { type Log, silentLog } from '../../common/log.ts'
import type { Detector, Finding, Host } from '../contract.ts'
import { type Budget, DEFAULT_BUDGET } from './budget.ts'
import { type Clock, systemClock } from './clock.ts'
import { CpuMeter } from './cpu-meter.ts'
import { worthALook } from './freshening.ts'
import type { Kept, KeptState } from './kept.ts'
import { readDetectorOptions } from './options.ts'
import { type DetectorReport, DetectorRunner, type Look } from './runner.ts'
import { sampleBytes } from './samples.ts'
import { Saving } from './saving.ts'
import { type Shed, Shedding } from './shedding.ts'
import type { RunResult } from './track.ts'

export type { DetectorReport, Look } from './runner.ts'
export type { Shed } from './shedding.ts'

export interface DetectorsInit {
  readonly host: Host
  readonly detectors: readonly Detector[]
  /** Of the program, and so of each detector that has none of its own. */
  readonly version: string
  /** By detector name; see options.ts. Checked here, so it may come straight from a document. */
  readonly options: unknown
  /** Called after each run of each detector, changed or not: a report also renews findings before they expire. */
  readonly onReport: (report: DetectorReport) => void
  /** Called after each look and its report. */
  readonly onLook?: (look: Look) => void
  /** Called when it changed which detectors look more rarely than they are set to, to keep to the budget. */
  readonly onShed?: (shed: readonly Shed[]) => void
  /** What was known before this process started, and where to write what is known now; nowhere when not given. */
  readonly memory?: DetectorMemory
  readonly budget?: Budget
  /** Stops every detector; the look in progress is given up and not reported. */
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly log?: Log
}

export interface DetectorMemory {
  readonly kept: KeptState
  save(detectors: ReadonlyMap<string, Kept>): Promise<void>
}

export interface DetectorEngine {
  /**
   * Looks now and returns everything that is seen, whether sustained or not: the way to verify a fix. Waits for a look
   * in progress, at most the detector's timeout. Rejects when there is no such detector or it is switched off.
   */
  runNow(detector: string): Promise<readonly Finding[]>
  /**
   * Looks now through `host`, without samples of before and without a report: the way to see what a detector reads. Waits and
   * rejects as `runNow`.
   */
  glimpse(detector: string, host: Host): Promise<RunResult>
  /**
   * Looks now with those that are wanted, each as if its turn had come: the oldest by its own interval first, and as many as
   * cost about `cpuMs` of processor time. Nothing more is begun once `signal` is aborted. Never rejects.
   */
  freshen(isWanted: (detector: string) => boolean, cpuMs: number, signal: AbortSignal): Promise<void>
  /** How long ago each detector last looked, ms; one that has not yet is not among them. */
  agesMs(): ReadonlyMap<string, number>
  /** Throws a UsageError, with everything as it was, when `options` are not valid; else every detector uses them at once. */
  reconfigure(options: unknown): void
  /** What detectors know now, by name, for an engine that takes over. */
  known(): ReadonlyMap<string, Kept>
  /** Resolves when all detectors have stopped, and what they know is written down. */
  readonly stopped: Promise<void>
}

/** Looks mostly wait for files and programs; more at a time would take the few threads that file access runs on. */
const FRESHENED_AT_ONCE = 3

const NO_MEMORY: DetectorMemory = { kept: { isSameBoot: false, detectors: new Map() }, save: async () => {} }

/** Throws a UsageError when `options` are not valid, before anything runs. */
export function startDetectors(init: DetectorsInit): DetectorEngine {
  const { host, detectors, version, signal, clock = systemClock, log = silentLog, memory = NO_MEMORY } = init
  const { onReport, onLook = () => {}, onShed = () => {}, budget = DEFAULT_BUDGET } = init
  const settings = readDetectorOptions(detectors, init.options)
  const runners = new Map<string, DetectorRunner>()
  const known = () =>
    new Map([...runners].flatMap(([name, { kept }]) => (kept === undefined ? [] : [[name, kept] as const])))
  const saving = new Saving(clock, log, () => memory.save(known()))
  const shared = {
    host,
    version,
    clock,
    log,
    meter: new CpuMeter(clock),
    sizeOf: sampleBytes,
    kept: memory.kept,
    onReport: (report: DetectorReport) => {
      saving.looked(report.changed)
      onReport(report)
    },
    onLook: (look: Look) => {
      onLook(look)
      shedding.decide(clock.now().ms)
    },
  }
  for (const detector of detectors) {
    const setting = settings.get(detector.name)
    if (setting !== undefined) runners.set(detector.name, new DetectorRunner(detector, setting, shared))
  }
  const runnerOf = (name: string): DetectorRunner => {
    const runner = runners.get(name)
    if (runner === undefined) throw new Error(`there is no detector ${name}`)
    if (!runner.enabled) throw new Error(`detector ${name} is switched off`)
    return runner
  }
  const ages = () => [...runners.values()].flatMap(({ age }) => age ?? [])
  const shedding = new Shedding({ budget, runners: [...runners.values()], log, onShed })
  const stopAll = () => {
    for (const runner of runners.values()) runner.stop()
    saving.stop()
  }
  if (signal.aborted) stopAll()
  else signal.addEventListener('abort', stopAll, { once: true })
  const looking = [...runners.values()].map((runner) => runner.start())
  const stopped = Promise.all([...looking, saving.run()]).then(() => {})

  return {
    stopped,
    known,
    runNow: async (name) => runnerOf(name).look(),
    glimpse: async (name, through) => runnerOf(name).glimpse(through),
    freshen: async (isWanted, cpuMs, signal) => {
      const wanted = ages().filter(({ detector }) => isWanted(detector))
      await inLanes(worthALook(wanted, cpuMs), FRESHENED_AT_ONCE, async (name) => {
        if (signal.aborted) return
        // What failed has been logged.
        await runners
          .get(name)
          ?.lookInTurn()
          .catch(() => {})
      })
    },
    agesMs: () => new Map(ages().map(({ detector, ageMs }) => [detector, ageMs])),
    reconfigure(options) {
      const next = readDetectorOptions(detectors, options)
      for (const [name, setting] of next) runners.get(name)?.reconfigure(setting)
    },
  }
}
