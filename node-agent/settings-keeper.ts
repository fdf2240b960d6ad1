/**
 * The settings in force on this node: loaded at the start, replaced by newer ones of this mesh once the leader says that
 * they are for this node, never by anything else. What the leader named is kept for neighbours, too.
 */
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { type Announcement, type AppliedSettings, digestOf, isLater, type Named, targetOf } from '../settings/notes.ts'
import { acceptSettings, encodeSettings, type SignedSettings, type Verify } from '../settings/signed.ts'
import type { Placed } from '../settings/stages.ts'
import { loadSettings, saveSettings } from '../settings/store.ts'
import { type Registries, validateKnownSettings } from '../settings/validate.ts'

export interface SettingsKeeperInit {
  readonly stateDir: string
  readonly mesh: string
  readonly verify: Verify
  /** What settings can be about on this node; changes as plugins come and go. */
  readonly registries: () => Registries
  /** This node, as the roster in force has it. */
  place(): Placed
  readonly log: Log
}

export class SettingsKeeper {
  readonly #init: SettingsKeeperInit
  #current: SignedSettings | null = null
  /** The name of those in force; empty while there are none. */
  #digest = ''
  /** The latest word of which settings are for whom. */
  #said: Announcement | undefined
  /** By digest: those in force, and what that word names. */
  readonly #documents = new Map<string, Uint8Array>()
  /** Looked at and not taken over: it will not do better the next time. */
  #judged = ''
  #saved: Promise<unknown> = Promise.resolve()
  /** What was last offered and refused; null when nothing was. Reported as finding `settings-rejected`. */
  rejected: { readonly version: number; readonly why: string } | null = null

  private constructor(init: SettingsKeeperInit) {
    this.#init = init
  }

  /** Starts with what is on disk, or with an empty document: then everything runs with its defaults and only observes. */
  static async load(init: SettingsKeeperInit): Promise<SettingsKeeper> {
    const keeper = new SettingsKeeper(init)
    const loaded = await loadSettings(init.stateDir, (bytes) => acceptSettings(null, bytes, init.mesh, init.verify))
    if (loaded.kind === 'refused') keeper.#reject(0, `${loaded.why}; the file is kept as ${loaded.keptAs}`)
    else if (loaded.kind === 'loaded') keeper.#swap(loaded.settings, digestOf(encodeSettings(loaded.settings)))
    return keeper
  }

  get document(): SettingsDocument | null {
    return this.#current?.document ?? null
  }

  get applied(): AppliedSettings {
    const version = this.#current?.document.version ?? 0
    const { rejected } = this
    return rejected === null || rejected.version <= version ? { version } : { version, refused: rejected }
  }

  /** For neighbours that lack them. */
  get holds(): readonly Uint8Array[] {
    return [...this.#documents.values()]
  }

  /** The names of those that are missing: what this node is to run first, then what it may soon be. */
  get seeks(): readonly string[] {
    if (this.#said === undefined) return []
    const { current, next } = this.#said
    const soon = next?.halted === null ? [next] : []
    const wanted = [targetOf(this.#said, this.#init.place()), ...soon, current].filter((named) => this.#isNews(named))
    return [...new Set(wanted.map(({ digest }) => digest))].filter((digest) => !this.#documents.has(digest))
  }

  /** The leader said which settings are for whom. Messages come late and twice: only the latest word counts. */
  hear(said: Announcement): void {
    if (this.#said !== undefined && !isLater(said, this.#said)) return
    this.#said = said
    this.#forget()
  }

  /** A neighbour had these: the bytes have the digest that was asked for, and nothing else is known of them. */
  take(digest: string, bytes: Uint8Array): void {
    const { current, next } = this.#said ?? {}
    if (digest === current?.digest || digest === next?.digest) this.#documents.set(digest, bytes)
  }

  /**
   * Takes over what is for this node, if it is here. `taken`: other settings are in force from now on; `refused`: they
   * would have been, and are no good.
   */
  settle(): 'taken' | 'refused' | 'as-before' {
    if (this.#said === undefined) return 'as-before'
    const target = targetOf(this.#said, this.#init.place())
    const bytes = this.#documents.get(target.digest)
    if (bytes === undefined || !this.#isNews(target)) return 'as-before'
    const { mesh, verify } = this.#init
    const answer = acceptSettings(this.#current, bytes, mesh, verify)
    this.#judged = target.digest
    if (answer.accepted) {
      if (!this.#swap(answer.settings, target.digest)) return 'refused'
      this.#forget()
      this.#save(answer.settings)
      return 'taken'
    }
    // The same under another aggregator's signature is no complaint.
    if (answer.reason === 'same') return 'as-before'
    this.#reject(target.version, answer.why)
    return 'refused'
  }

  /** What nobody names any more. */
  #forget(): void {
    const named = [this.#digest, this.#said?.current.digest, this.#said?.next?.digest]
    for (const digest of this.#documents.keys()) if (!named.includes(digest)) this.#documents.delete(digest)
  }

  /** Newer than those in force, or others under the same version. */
  #isNews({ version, digest }: Named): boolean {
    const held = this.#current?.document.version ?? 0
    if (digest === this.#judged || digest === this.#digest) return false
    return version >= held
  }

  /**
   * Validate, then swap: a document that this build cannot use changes nothing. Names that only other nodes know are passed
   * over; the aggregator has checked them.
   */
  #swap(settings: SignedSettings, digest: string): boolean {
    const { version } = settings.document
    const { registries, log } = this.#init
    try {
      validateKnownSettings(settings.document, `settings version ${version}`, registries())
    } catch (error) {
      this.#reject(version, messageOf(error))
      return false
    }
    this.#current = settings
    this.#digest = digest
    this.#documents.set(digest, encodeSettings(settings))
    this.rejected = null
    log.info({ version }, 'settings in force')
    return true
  }

  /** One after the other. In force all the same when it fails: after a restart a neighbour has them. */
  #save(settings: SignedSettings): void {
    const { stateDir, log } = this.#init
    this.#saved = this.#saved
      .then(() => saveSettings(stateDir, settings))
      .catch((error: unknown) => log.warn({ err: messageOf(error) }, 'settings could not be kept on disk'))
  }

  #reject(version: number, why: string): void {
    this.rejected = { version, why }
    this.#init.log.warn({ version, why }, 'settings refused')
  }
}
