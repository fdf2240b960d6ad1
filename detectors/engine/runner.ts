/** Runs one detector again and again: one look at a time, and nothing it does reaches another detector. */
import { durationMs, formatDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Detector, Finding, Host } from '../contract.ts'
import { guardedHost } from '../host/guarded.ts'
import { boundVersion } from './bounds.ts'
import type { Clock } from './clock.ts'
import type { DetectorSetting } from './options.ts'
import { probe } from './probe.ts'
import { EMPTY_TRACK, type RunResult, stepTrack, type Track, type TrackStep } from './track.ts'

/** What is reported after each run: everything the detector says about this host now. */
export interface DetectorReport {
  readonly detector: string
  /** Empty only when the detector was just switched off. */
  readonly findings: readonly Finding[]
  readonly changed: boolean
}

export interface RunnerInit {
  readonly host: Host
  readonly version: string
  readonly clock: Clock
  readonly log: Log
  readonly onReport: (report: DetectorReport) => void
}

/** As promised to `judge`. */
const PAST_MAX = 10
/** A finding counts for this many intervals: two late or lost reports do not end it. */
const TTL_INTERVALS = 3
/** Each wait is this much longer or shorter, at random, so that the nodes of a fleet do not all look at once. */
const JITTER = 0.1
/** First runs are spread over this much, so that a start is no burst and yet answers soon. */
const FIRST_RUN_WITHIN_MS = 2_000

export class DetectorRunner {
  readonly #detector: Detector
  readonly #init: RunnerInit
  /** One for all looks, since detectors keep by it what they know of a host. */
  readonly #host: Host
  #setting: DetectorSetting
  #track: Track = EMPTY_TRACK
  #past: readonly unknown[] = []
  #turn: Promise<unknown> = Promise.resolve()
  /** When the look began that has not come to an end, though its time was up. */
  #hungSinceMs: number | undefined
  #stopped = false
  /** Look without waiting; set by a change of settings, which can come in the middle of a look. */
  #due = false
  #pause = new AbortController()
  #abort = new AbortController()

  constructor(detector: Detector, setting: DetectorSetting, init: RunnerInit) {
    this.#detector = detector
    this.#setting = setting
    this.#init = init
    this.#host = guardedHost(init.host, detector.touches)
  }

  /** Runs until `stop`. Never rejects. */
  async start(): Promise<void> {
    const { clock } = this.#init
    await this.#wait(clock.random() * Math.min(FIRST_RUN_WITHIN_MS, this.#setting.everyMs))
    while (!this.#stopped) {
      // A failure has been logged; the next look may do better.
      if (this.#setting.enabled) await this.look().catch(() => {})
      await this.#wait(this.#setting.everyMs * (1 - JITTER + 2 * JITTER * clock.random()))
    }
  }

  /** A look now, after the one in progress. Reports as any run does, and returns what it saw, sustained or not. */
  look(): Promise<readonly Finding[]> {
    const look = this.#turn.then(async () => {
      const step = await this.#run()
      // Stopped or switched off while it looked: what it saw must not come back.
      if (!this.#stopped && this.#setting.enabled) {
        this.#track = step.track
        this.#report(step.track.reported, step.changed)
      }
      return step.seen
    })
    this.#turn = look.catch((error: unknown) => {
      this.#init.log.error({ detector: this.#detector.name, err: messageOf(error) }, 'a detector run failed')
    })
    return look
  }

  /** From now on with this setting; looks at once, since what was wanted may have changed. */
  reconfigure(setting: DetectorSetting): void {
    const switchedOff = this.#setting.enabled && !setting.enabled
    this.#setting = setting
    // What a sample holds can depend on the options it was taken with.
    this.#past = []
    if (switchedOff) {
      this.#track = EMPTY_TRACK
      this.#report([], true)
    }
    this.#due = true
    this.#pause.abort()
  }

  get enabled(): boolean {
    return this.#setting.enabled
  }

  /** Gives up the look in progress and does not report it. */
  stop(): void {
    this.#stopped = true
    this.#pause.abort()
    this.#abort.abort(new Error('the agent is stopping'))
  }

  async #run(): Promise<TrackStep> {
    const { host, version, clock } = this.#init
    const setting = this.#setting
    const result = await this.#probe(setting)
    const context = {
      node: host.node,
      detector: this.#detector.name,
      version: boundVersion(this.#detector.version ?? version),
      reasons: this.#detector.reasons,
      ttlMs: setting.everyMs * TTL_INTERVALS,
    }
    return stepTrack(context, this.#track, clock.now(), result)
  }

  async #probe(setting: DetectorSetting): Promise<RunResult> {
    const { clock } = this.#init
    const startedMs = clock.now().ms
    if (this.#hungSinceMs !== undefined) {
      // A second one would hang on the same thing and take one more of the few threads that file access runs on.
      return { kind: 'failed', why: `a look begun ${formatDuration(startedMs - this.#hungSinceMs)} ago still hangs` }
    }
    if (this.#stopped) return { kind: 'failed', why: 'the agent is stopping' }
    this.#abort = new AbortController()
    const { result, sample, hung } = await probe({
      detector: this.#detector,
      host: this.#host,
      options: setting.options,
      past: this.#past,
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
    if (result.kind === 'judged' && setting === this.#setting) this.#past = [sample, ...this.#past].slice(0, PAST_MAX)
    return result
  }

  #report(findings: readonly Finding[], changed: boolean): void {
    try {
      this.#init.onReport({ detector: this.#detector.name, findings, changed })
    } catch (error) {
      this.#init.log.error({ detector: this.#detector.name, err: messageOf(error) }, 'a report was not taken')
    }
  }

  async #wait(ms: number): Promise<void> {
    this.#pause = new AbortController()
    if (!this.#stopped && !this.#due) await this.#init.clock.sleep(ms, this.#pause.signal).catch(() => {})
    this.#due = false
  }
}
