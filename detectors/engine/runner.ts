/** Runs one detector again and again: one look at a time, and nothing it does reaches another detector. */
import { durationMs, formatDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Detector, Finding, Host } from '../contract.ts'
import { type GuardedHost, guardedHost } from '../host/guarded.ts'
import { boundVersion } from './bounds.ts'
import { type Cost, PAST_MAX } from './budget.ts'
import type { Clock } from './clock.ts'
import type { CpuMeter } from './cpu-meter.ts'
import type { Age } from './freshening.ts'
import { type Kept, type KeptState, type Resumed, resume } from './kept.ts'
import { LookCosts } from './look-costs.ts'
import { type DetectorSetting, isSameSetting } from './options.ts'
import { paceMs, stretchOf } from './pace.ts'
import { type Probe, probe } from './probe.ts'
import { type Absence, EMPTY_TRACK, type RunResult, stepTrack, type Track, type TrackStep } from './track.ts'

/** What is reported after each run: everything the detector says about this host now. */
export interface DetectorReport {
  readonly detector: string
  /** Empty only when the detector was just switched off. */
  readonly findings: readonly Finding[]
  readonly changed: boolean
}

/** What one look came to and what it cost. */
export interface Look {
  readonly detector: string
  readonly result: 'ok' | 'fault' | 'unknown' | 'not-applicable' | 'timeout'
  readonly durationMs: number
  /** See cpu-meter.ts for what is in it. */
  readonly cpuMs: number
  /** Of the last sample that was measured, as written down. */
  readonly sampleBytes: number
  /** What its interval is multiplied by from now on: 1 unless it is shed or backs off. */
  readonly stretch: number
}

export interface RunnerInit {
  readonly host: Host
  readonly version: string
  readonly clock: Clock
  readonly meter: CpuMeter
  readonly sizeOf: (sample: unknown) => number
  readonly log: Log
  /** What was known of all detectors before this process started. */
  readonly kept: KeptState
  readonly onReport: (report: DetectorReport) => void
  readonly onLook: (look: Look) => void
}

/** A finding counts for this many intervals: two late or lost reports do not end it. */
const TTL_INTERVALS = 3
/** Each wait is this much longer or shorter, at random, so that the nodes of a fleet do not all look at once. */
const JITTER = 0.1
/** First runs are spread over this much, so that a start is no burst and yet answers soon. */
const FIRST_RUN_WITHIN_MS = 2_000

export class DetectorRunner {
  readonly #detector: Detector
  readonly #init: RunnerInit
  readonly #version: string
  /** One for all looks, since detectors keep by it what they know of a host. */
  readonly #host: GuardedHost
  readonly #costs: LookCosts
  #setting: DetectorSetting
  #track: Track = EMPTY_TRACK
  #past: readonly unknown[] = []
  #pastMax = PAST_MAX
  /** Here, or before the restart that it went on from. */
  #lookedMs: number | undefined
  #hasReported = false
  /** Of the next look. */
  #absence: Absence = 'counts'
  #turn: Promise<unknown> = Promise.resolve()
  /** When the look began that has not come to an end, though its time was up. */
  #hungSinceMs: number | undefined
  /** Looks in a row that ran out of time. */
  #overruns = 0
  #shedLevel = 0
  #stopped = false
  /** Look without waiting; set by a change of settings, which can come in the middle of a look. */
  #due = false
  #pause = new AbortController()
  #abort = new AbortController()

  constructor(detector: Detector, setting: DetectorSetting, init: RunnerInit) {
    this.#detector = detector
    this.#setting = setting
    this.#init = init
    this.#version = boundVersion(detector.version ?? init.version)
    this.#host = guardedHost(init.host, detector.touches)
    this.#costs = new LookCosts(init.sizeOf)
  }

  /** Runs until `stop`. Never rejects. */
  async start(): Promise<void> {
    const { clock } = this.#init
    this.#resume()
    await this.#wait(clock.random() * Math.min(FIRST_RUN_WITHIN_MS, this.#setting.everyMs))
    while (!this.#stopped) {
      // A failure has been logged; the next look may do better.
      if (this.#setting.enabled) await this.#look(false).catch(() => {})
      await this.#wait(this.#paceMs * (1 - JITTER + 2 * JITTER * clock.random()))
    }
  }

  /**
   * A look now, after the one in progress. Reports as any run does, and returns what it saw, sustained or not. What it does
   * not see is gone at once: it is asked for when somebody mended it.
   */
  look(): Promise<readonly Finding[]> {
    return this.#look(true)
  }

  /** A look now, after the one in progress, as any other. */
  async lookInTurn(): Promise<void> {
    await this.#look(false)
  }

  /** A look now, after the one in progress, through `host` and without samples of before. Nothing of it is reported or kept. */
  glimpse(host: Host): Promise<RunResult> {
    const guarded = guardedHost(host, this.#detector.touches)
    const glimpse = this.#turn.then(async () => (await this.#probe(this.#setting, guarded, [])).result)
    this.#turn = glimpse.catch(() => {})
    return glimpse
  }

  /** From now on with this setting; looks at once if it is another one, since what was wanted may have changed. */
  reconfigure(setting: DetectorSetting): void {
    if (isSameSetting(setting, this.#setting)) return
    const switchedOff = this.#setting.enabled && !setting.enabled
    this.#setting = setting
    this.#hasReported = this.#hasReported && setting.enabled
    // What a sample holds can depend on the options it was taken with.
    this.#past = []
    this.#absence = 'ends'
    if (switchedOff) {
      this.#track = EMPTY_TRACK
      this.#host.leave()
      this.#report([], true)
    }
    this.#due = true
    this.#pause.abort()
  }

  get enabled(): boolean {
    return this.#setting.enabled
  }

  get cost(): Cost {
    const { name: detector, importance = 'usual' } = this.#detector
    const { cpuMs, sampleBytes } = this.#costs
    return { detector, importance, everyMs: this.#setting.everyMs, cpuMs, sampleBytes }
  }

  /** As `kept`: how old its last look is, and what another would cost. */
  get age(): Age | undefined {
    if (this.#lookedMs === undefined || !this.enabled) return undefined
    return { ...this.cost, ageMs: this.#init.clock.now().ms - this.#lookedMs }
  }

  /** Of a detector that is on and has looked, in this process or before. */
  get kept(): Kept | undefined {
    if (this.#lookedMs === undefined || !this.enabled) return undefined
    const { written: options } = this.#setting
    return { version: this.#version, options, lookedMs: this.#lookedMs, track: this.#track, past: this.#past }
  }

  /** From now on it is shed so far, and keeps so many samples. What it said counts for as long as it takes now. */
  shed(level: number, pastMax: number): void {
    this.#pastMax = pastMax
    this.#past = this.#past.slice(0, pastMax)
    if (level === this.#shedLevel) return
    this.#shedLevel = level
    const ttlMs = this.#ttlMs
    this.#track = { ...this.#track, reported: this.#track.reported.map((finding) => ({ ...finding, ttlMs })) }
    if (this.enabled && this.#hasReported) this.#report(this.#track.reported, true)
  }

  /** Gives up the look in progress and does not report it. */
  stop(): void {
    this.#stopped = true
    this.#pause.abort()
    this.#abort.abort(new Error('the agent is stopping'))
    this.#host.leave()
  }

  get #stretch(): number {
    return this.#detector.importance === 'vital' ? 1 : stretchOf(this.#shedLevel, this.#overruns)
  }

  get #paceMs(): number {
    return paceMs(this.#setting.everyMs, this.#stretch)
  }

  get #ttlMs(): number {
    return this.#paceMs * TTL_INTERVALS
  }

  #resume(): void {
    const { kept, clock } = this.#init
    const known = kept.detectors.get(this.#detector.name)
    if (known === undefined || !this.enabled) return
    const context = {
      version: this.#version,
      options: this.#setting.written,
      reasons: this.#detector.reasons,
      ttlMs: this.#ttlMs,
    }
    const { track, past, absence, standing }: Resumed = resume(known, kept.isSameBoot, clock.now(), context)
    this.#track = track
    this.#past = past
    this.#absence = absence
    if (kept.isSameBoot) this.#lookedMs = known.lookedMs
    if (standing.length > 0) this.#report(standing, true)
  }

  #look(isAsked: boolean): Promise<readonly Finding[]> {
    const look = this.#turn.then(async () => {
      const { step, look } = await this.#run(isAsked)
      // Stopped or switched off while it looked: what it saw must not come back.
      if (!this.#stopped && this.#setting.enabled) {
        this.#track = step.track
        this.#lookedMs = this.#init.clock.now().ms
        // The first look of a life is told whatever it says: what was known from before may be in the words of another version.
        const isFirst = !this.#hasReported
        this.#hasReported = true
        this.#report(step.track.reported, step.changed || isFirst)
      }
      // Last, since what it cost can change how long that report counts.
      this.#tell(look)
      return step.seen
    })
    this.#turn = look.catch((error: unknown) => {
      this.#init.log.error({ detector: this.#detector.name, err: messageOf(error) }, 'a detector run failed')
    })
    return look
  }

  async #run(isAsked: boolean): Promise<{ step: TrackStep; look: Look }> {
    const { host, clock, meter } = this.#init
    const setting = this.#setting
    const beganMs = clock.now().ms
    const reading = meter.begin()
    const { result, sample, timedOut } = await this.#probe(setting, this.#host, this.#past)
    if (result.kind === 'judged' && setting === this.#setting) {
      this.#past = [sample, ...this.#past].slice(0, this.#pastMax)
      this.#costs.sampled(sample)
    }
    const cpuMs = meter.end(reading)
    const now = clock.now()
    this.#overruns = timedOut ? this.#overruns + 1 : this.#hungSinceMs === undefined ? 0 : this.#overruns
    const context = {
      node: host.node,
      detector: this.#detector.name,
      version: this.#version,
      reasons: this.#detector.reasons,
      ttlMs: this.#ttlMs,
    }
    const absence = isAsked ? 'ends' : this.#absence
    // A look that failed has told nothing: what was to be held against it is held against the next.
    if (result.kind !== 'failed' && setting === this.#setting) this.#absence = 'counts'
    const step = stepTrack(context, this.#track, now, result, absence)
    this.#costs.add(cpuMs)
    const look: Look = {
      detector: this.#detector.name,
      result: timedOut ? 'timeout' : resultOf(step),
      durationMs: now.ms - beganMs,
      cpuMs,
      sampleBytes: this.#costs.sampleBytes,
      stretch: this.#stretch,
    }
    return { step, look }
  }

  async #probe(setting: DetectorSetting, host: Host, past: readonly unknown[]): Promise<Omit<Probe, 'hung'>> {
    const { clock } = this.#init
    const startedMs = clock.now().ms
    const failed = (why: string) => ({ result: { kind: 'failed', why }, sample: undefined, timedOut: false }) as const
    // A second one would hang on the same thing and take one more of the few threads that file access runs on.
    if (this.#hungSinceMs !== undefined) {
      return failed(`a look begun ${formatDuration(startedMs - this.#hungSinceMs)} ago still hangs`)
    }
    if (this.#stopped) return failed('the agent is stopping')
    this.#abort = new AbortController()
    const { result, sample, timedOut, hung } = await probe({
      detector: this.#detector,
      host,
      options: setting.options,
      past,
      timeoutMs: durationMs(this.#detector.timeout),
      clock,
      abort: this.#abort,
    })
    if (hung !== undefined) {
      this.#hungSinceMs = startedMs
      void hung.then(() => {
        this.#hungSinceMs = undefined
      })
    }
    return { result, sample, timedOut }
  }

  #report(findings: readonly Finding[], changed: boolean): void {
    try {
      this.#init.onReport({ detector: this.#detector.name, findings, changed })
    } catch (error) {
      this.#init.log.error({ detector: this.#detector.name, err: messageOf(error) }, 'a report was not taken')
    }
  }

  #tell(look: Look): void {
    try {
      this.#init.onLook(look)
    } catch (error) {
      this.#init.log.error({ detector: this.#detector.name, err: messageOf(error) }, 'a look was not taken note of')
    }
  }

  async #wait(ms: number): Promise<void> {
    this.#pause = new AbortController()
    if (!this.#stopped && !this.#due) await this.#init.clock.sleep(ms, this.#pause.signal).catch(() => {})
    this.#due = false
  }
}

function resultOf({ seen }: TrackStep): Exclude<Look['result'], 'timeout'> {
  const status = seen[0]?.status ?? 'ok'
  return status === 'ok' || status === 'unknown' || status === 'not-applicable' ? status : 'fault'
}
