/**
 * The plugins of this node: their detectors run in an engine of their own, so that a folder that changes is taken in at once
 * and disturbs no other detector. Plugin remediators are those of the start: what is being mended is not swapped under it.
 */

import type { Log } from '../common/log.ts'
import type { Finding, Host } from '../detectors/contract.ts'
import { type DetectorEngine, type DetectorReport, type Look, startDetectors } from '../detectors/engine/engine.ts'
import packageJson from '../package.json' with { type: 'json' }
import type { PluginShelf } from '../plugins/shelf.ts'
import { ownSettings } from '../settings/validate.ts'
import { PLUGINS_REPORT, pluginFindings } from './plugin-findings.ts'
import { NOTE_TTL_MS } from './publisher.ts'

export interface PluginRoomInit {
  readonly shelf: PluginShelf
  readonly host: Host
  /** The settings of detectors in force, also of those that are no plugins. */
  readonly settings: () => Readonly<Record<string, unknown>>
  readonly onReport: (report: DetectorReport) => void
  readonly onLook: (look: Look) => void
  readonly log: Log
}

export class PluginRoom {
  readonly #init: PluginRoomInit
  #engine: DetectorEngine
  #stopping = new AbortController()
  #names: readonly string[] = []
  readonly #stopWatching: () => void

  constructor(init: PluginRoomInit) {
    this.#init = init
    this.#engine = this.#start()
    this.#stopWatching = init.shelf.watch(() => this.#startAgain())
  }

  has(detector: string): boolean {
    return this.#names.includes(detector)
  }

  runNow(detector: string): Promise<readonly Finding[]> {
    return this.#engine.runNow(detector)
  }

  /** Other settings are in force. */
  reconfigure(): void {
    this.#engine.reconfigure(this.#settings())
  }

  async stop(): Promise<void> {
    this.#stopWatching()
    this.#stopping.abort()
    await this.#engine.stopped
  }

  #settings() {
    return ownSettings(this.#init.settings(), this.#init.shelf.detectors)
  }

  #start(): DetectorEngine {
    const { shelf, host, onReport, onLook, log } = this.#init
    this.#stopping = new AbortController()
    this.#names = shelf.detectors.map(({ name }) => name)
    const findings = pluginFindings(host.node, shelf, new Date().toISOString(), NOTE_TTL_MS)
    onReport({ detector: PLUGINS_REPORT, findings, changed: true })
    return startDetectors({
      host,
      detectors: shelf.detectors,
      version: packageJson.version,
      options: this.#settings(),
      onReport,
      onLook,
      signal: this.#stopping.signal,
      log,
    })
  }

  #startAgain(): void {
    this.#stopping.abort()
    const before = this.#names
    this.#engine = this.#start()
    // What a plugin that is gone has said is taken back.
    const gone = before.filter((name) => !this.#names.includes(name))
    for (const detector of gone) this.#init.onReport({ detector, findings: [], changed: true })
  }
}
