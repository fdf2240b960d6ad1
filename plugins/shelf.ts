/** The plugins that a process has loaded, and those of a folder that changed while it runs. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import { describeTouches } from '../detectors/catalogue.ts'
import type { Detector } from '../detectors/contract.ts'
import { unenforced } from '../detectors/host/bubblewrap.ts'
import { builtinDetectors } from '../detectors/index.ts'
import type { Remediator } from '../remediators/contract.ts'
import { builtinRemediators } from '../remediators/index.ts'
import { type LoadedPlugins, loadPlugins, type Plugin, type PluginPlace, type PluginProblem } from './load.ts'

/** A person who saves a file looks for its effect within a few seconds; a look is one readdir and a few stats. */
const LOOK_EVERY_MS = 1_000

const shipped = { detectors: builtinDetectors, remediators: builtinRemediators }

export class PluginShelf {
  readonly #place: PluginPlace
  readonly #log: Log
  #loaded: LoadedPlugins = { plugins: [], problems: [] }
  #print = ''

  private constructor(place: PluginPlace, log: Log) {
    this.#place = place
    this.#log = log
  }

  /** Loads all of them, and writes to `log` what each touches. Never throws: what does not load is among `problems`. */
  static async load(place: PluginPlace, log: Log): Promise<PluginShelf> {
    const shelf = new PluginShelf(place, log)
    await shelf.#load(await fingerprint(place.folder))
    return shelf
  }

  get detectors(): readonly Detector[] {
    return this.#loaded.plugins.flatMap(({ detectors }) => detectors)
  }

  get remediators(): readonly Remediator[] {
    return this.#loaded.plugins.flatMap(({ remediators }) => remediators)
  }

  get plugins(): readonly Plugin[] {
    return this.#loaded.plugins
  }

  get problems(): readonly PluginProblem[] {
    return this.#loaded.problems
  }

  /** What settings may name: what ships with Starling, and these. */
  get registries(): { readonly detectors: readonly Detector[]; readonly remediators: readonly Remediator[] } {
    return {
      detectors: [...builtinDetectors, ...this.detectors],
      remediators: [...builtinRemediators, ...this.remediators],
    }
  }

  /** Loads again after the folder changed and calls back. Returns how to stop. */
  watch(onChange: () => void): () => void {
    let seen = this.#print
    let isBusy = false
    const look = async () => {
      const now = await fingerprint(this.#place.folder)
      // Only once it has stood still for a look: an editor or a copy may be half way.
      if (now === seen && now !== this.#print) {
        await this.#load(now)
        onChange()
      }
      seen = now
    }
    const timer = setInterval(() => {
      if (isBusy) return
      isBusy = true
      look()
        .catch((error: unknown) => this.#log.warn({ err: messageOf(error) }, 'plugins cannot be looked at'))
        .finally(() => {
          isBusy = false
        })
    }, LOOK_EVERY_MS)
    timer.unref()
    return () => clearInterval(timer)
  }

  async #load(print: string): Promise<void> {
    this.#print = print
    this.#loaded = await loadPlugins(this.#place, shipped)
    for (const { source, detectors, remediators } of this.#loaded.plugins) {
      for (const { name, touches } of detectors) {
        const but = await unenforced(touches)
        const about = { touches: describeTouches(touches), ...(but === undefined ? {} : { but }) }
        this.#log.info({ plugin: source, detector: name, ...about }, 'plugin loaded')
      }
      for (const { name, reach, risk } of remediators) {
        this.#log.info({ plugin: source, remediator: name, reach, risk }, 'plugin loaded')
      }
    }
    for (const { source, why } of this.#loaded.problems) {
      this.#log.error({ plugin: source, why }, 'a plugin was not loaded')
    }
  }
}

/** Changes with every file that comes, goes or is written. Empty where there is no such folder. */
async function fingerprint(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  const parts = names.toSorted().map(async (name) => {
    const found = await stat(join(folder, name)).catch(() => undefined)
    return found === undefined ? name : `${name} ${found.mtimeMs} ${found.ino} ${found.size}`
  })
  return (await Promise.all(parts)).join('\n')
}
