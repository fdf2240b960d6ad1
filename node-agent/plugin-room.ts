/**
 * The plugins of this node: their detectors run in an engine of their own, so that a folder that changes is taken in at once
 * and disturbs no other detector. Plugin remediators are those of the start: what is being mended is not swapped under it.
 */
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { Detector, Finding, Host } from '../detectors/contract.ts'
import {
  type DetectorEngine,
  type DetectorMemory,
  type DetectorReport,
  type Look,
  type Shed,
  startDetectors,
} from '../detectors/engine/engine.ts'
import { readDetectorOptions } from '../detectors/engine/options.ts'
import type { RunResult } from '../detectors/engine/track.ts'
import packageJson from '../package.json' with { type: 'json' }
import type { PluginShelf } from '../plugins/shelf.ts'
import { ownSettings } from '../settings/validate.ts'
import { pluginFindings } from './plugin-findings.ts'
import { NOTE_TTL_MS } from './publisher.ts'

export interface PluginRoomInit {
  readonly shelf: Pick<PluginShelf, 'detectors' | 'plugins' | 'problems' | 'watch'>
  readonly host: Host
  /** The settings of detectors in force, also of those that are no plugins. */
  readonly settings: () => Readonly<Record<string, unknown>>
  /** Which plugins are loaded and which are not, whenever that changes. */
  readonly onLoaded: (first: Finding, ...others: readonly Finding[]) => void
  readonly onReport: (report: DetectorReport) => void
  readonly onLook: (look: Look) => void
  /** Which of them look more rarely, to keep to their budget, whenever that changed. */
  readonly onShed: (shed: readonly Shed[]) => void
  readonly memory: DetectorMemory
  readonly log: Log
}

export class PluginRoom {
  readonly #init: PluginRoomInit
  #engine: DetectorEngine
  #stopping = new AbortController()
  #names: readonly string[] = []
  #isShed = false
  readonly #stopWatching: () => void

  constructor(init: PluginRoomInit) {
    this.#init = init
    this.#engine = this.#start(init.memory)
    this.#stopWatching = init.shelf.watch(() => this.#startAgain())
  }

  has(detector: string): boolean {
    return this.#names.includes(detector)
  }

  runNow(detector: string): Promise<readonly Finding[]> {
    return this.#engine.runNow(detector)
  }

  glimpse(detector: string, host: Host): Promise<RunResult> {
    return this.#engine.glimpse(detector, host)
  }

  freshen(isWanted: (detector: string) => boolean, cpuMs: number, signal: AbortSignal): Promise<void> {
    return this.#engine.freshen(isWanted, cpuMs, signal)
  }

  agesMs(): ReadonlyMap<string, number> {
    return this.#engine.agesMs()
  }

  /** Other settings are in force. */
  reconfigure(): void {
    const { detectors } = this.#usable()
    const isAsBefore = detectors.map(({ name }) => name).join() === this.#names.join()
    if (isAsBefore) this.#engine.reconfigure(this.#settingsOf(detectors))
    else this.#startAgain()
  }

  async stop(): Promise<void> {
    this.#stopWatching()
    this.#stopping.abort()
    await this.#engine.stopped
  }

  #settingsOf(detectors: readonly Detector[]) {
    return ownSettings(this.#init.settings(), detectors)
  }

  /** Settings are checked against the plugins of when they came: one that is new may not know what they say of it. */
  #usable(): { readonly detectors: readonly Detector[]; readonly problems: PluginShelf['problems'] } {
    const detectors: Detector[] = []
    const problems = [...this.#init.shelf.problems]
    for (const detector of this.#init.shelf.detectors) {
      try {
        readDetectorOptions([detector], this.#settingsOf([detector]))
        detectors.push(detector)
      } catch (error) {
        problems.push({ source: detector.name, why: `the settings in force do not fit: ${messageOf(error)}` })
      }
    }
    return { detectors, problems }
  }

  #start(memory: DetectorMemory): DetectorEngine {
    const { shelf, host, onReport, onLook, log } = this.#init
    this.#stopping = new AbortController()
    const { detectors, problems } = this.#usable()
    this.#names = detectors.map(({ name }) => name)
    const { plugins } = shelf
    const findings = pluginFindings(host.node, { plugins, problems }, new Date().toISOString(), NOTE_TTL_MS)
    this.#init.onLoaded(...findings)
    return startDetectors({
      host,
      detectors,
      version: packageJson.version,
      options: this.#settingsOf(detectors),
      onReport,
      onLook,
      onShed: (shed) => this.#onShed(shed),
      memory,
      signal: this.#stopping.signal,
      log,
    })
  }

  #onShed(shed: readonly Shed[]): void {
    this.#isShed = shed.length > 0
    this.#init.onShed(shed)
  }

  #startAgain(): void {
    // A look at the folder may end after the agent was stopped.
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    const before = this.#names
    // What they cost is measured anew.
    if (this.#isShed) this.#onShed([])
    const kept = { isSameBoot: true, detectors: this.#engine.known() }
    this.#engine = this.#start({ ...this.#init.memory, kept })
    // What a plugin that is gone has said is taken back.
    const gone = before.filter((name) => !this.#names.includes(name))
    for (const detector of gone) this.#init.onReport({ detector, findings: [], changed: true })
  }
}
