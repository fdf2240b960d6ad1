/** The settings in force on this node: loaded at the start, replaced by newer ones of this mesh, never by anything else. */
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { acceptSettings, type SignedSettings, type Verify } from '../settings/signed.ts'
import { loadSettings, saveSettings } from '../settings/store.ts'
import { type Registries, validateKnownSettings } from '../settings/validate.ts'

export interface SettingsKeeperInit {
  readonly stateDir: string
  readonly mesh: string
  readonly verify: Verify
  /** What settings can be about on this node; changes as plugins come and go. */
  readonly registries: () => Registries
  readonly log: Log
}

export class SettingsKeeper {
  readonly #init: SettingsKeeperInit
  #current: SignedSettings | null = null
  /** Why the last offered settings were refused; null when they were not. Reported as finding `settings-rejected`. */
  rejected: string | null = null

  private constructor(init: SettingsKeeperInit) {
    this.#init = init
  }

  /** Starts with what is on disk, or with an empty document: then everything runs with its defaults and only observes. */
  static async load(init: SettingsKeeperInit): Promise<SettingsKeeper> {
    const keeper = new SettingsKeeper(init)
    const loaded = await loadSettings(init.stateDir, (bytes) => acceptSettings(null, bytes, init.mesh, init.verify))
    if (loaded.kind === 'refused') {
      keeper.#reject(`${loaded.why}; the file is kept as ${loaded.keptAs}`)
    } else if (loaded.kind === 'loaded') {
      keeper.#swap(loaded.settings)
    }
    return keeper
  }

  get document(): SettingsDocument | null {
    return this.#current?.document ?? null
  }

  /** Settings came over the mesh. True when they are the ones to use from now on. */
  async offer(bytes: Uint8Array): Promise<boolean> {
    const { mesh, verify, stateDir } = this.#init
    const answer = acceptSettings(this.#current, bytes, mesh, verify)
    if (!answer.accepted) {
      if (answer.reason !== 'same' && answer.reason !== 'older') this.#reject(answer.why)
      return false
    }
    if (!this.#swap(answer.settings)) return false
    try {
      await saveSettings(stateDir, answer.settings)
    } catch (error) {
      // In force all the same; after a restart a neighbour has them.
      this.#init.log.warn({ err: messageOf(error) }, 'settings could not be kept on disk')
    }
    return true
  }

  /**
   * Validate, then swap: a document that this build cannot use changes nothing. Names that only other nodes know are passed
   * over; the aggregator has checked them.
   */
  #swap(settings: SignedSettings): boolean {
    try {
      const { document } = settings
      validateKnownSettings(document, `settings version ${document.version}`, this.#init.registries())
    } catch (error) {
      this.#reject(messageOf(error))
      return false
    }
    this.#current = settings
    this.rejected = null
    this.#init.log.info({ version: settings.document.version }, 'settings in force')
    return true
  }

  #reject(why: string): void {
    this.rejected = why
    this.#init.log.warn({ why }, 'settings refused')
  }
}
