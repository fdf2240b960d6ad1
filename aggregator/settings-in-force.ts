/** The settings in force, at the aggregator that hands them out: as the operator's file has them, or the last that were right. */
import { messageOf, UsageError } from '../common/errors.ts'
import type { Logger } from '../common/pino-log.ts'
import { NOTE_BYTES_MAX } from '../mesh/core/gossip.ts'
import type { KeyPair } from '../mesh/identity/keys.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { SETTINGS_TOPIC } from '../settings/notes.ts'
import { encodeSettings, signSettings } from '../settings/signed.ts'
import { type Registries, validateKnownSettings } from '../settings/validate.ts'
import type { Store } from './model.ts'
import { readSettingsFile, watchSettingsFile } from './settings-file.ts'

/** Settings are said again well before the note that carries them expires. */
const SETTINGS_TTL_MS = 86_400_000
const SETTINGS_REPEAT_MS = SETTINGS_TTL_MS / 4

/** The settings in force, in the store: they must neither go back nor be lost when this process starts again. */
const SETTINGS_FACT = 'settings'

export interface SettingsInit {
  readonly file: string
  readonly mesh: string
  readonly store: Store
  readonly keys: KeyPair
  /** What settings can be about; changes as plugins come and go. */
  readonly registries: () => Registries
  readonly log: Logger
}

/** Who is told. */
export interface SettingsSide {
  /** Only the leader hands settings out. */
  leads(): boolean
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
  inForce(version: number): void
  refused(why: string): void
}

export class SettingsInForce {
  readonly #init: SettingsInit
  #document: SettingsDocument
  #signed: Uint8Array
  /** Why the operator's file was refused at the start. */
  readonly #refused: string | undefined
  #side: SettingsSide | undefined
  #stop: () => void = () => {}

  /**
   * The operator's file, as it would be taken while running. One that would be refused leaves those in force that were: a
   * mistake in a file must not keep an aggregator from coming back. Throws where there were none yet.
   */
  constructor(init: SettingsInit) {
    this.#init = init
    const fact = init.store.readFact(SETTINGS_FACT)
    const last =
      fact === null
        ? undefined
        : validateKnownSettings(JSON.parse(fact), 'the settings in force before', init.registries())
    try {
      this.#document = this.#read()
      this.#signed = signFor(this.#document, init.keys)
      const isOther = last !== undefined && JSON.stringify(this.#document) !== JSON.stringify(last)
      if (isOther) requireNewer(this.#document, last.version + 1)
    } catch (error) {
      if (last === undefined) throw error
      this.#document = last
      this.#signed = signFor(last, init.keys)
      this.#refused = messageOf(error)
    }
  }

  get document(): SettingsDocument {
    return this.#document
  }

  /** The mesh runs: from now on the file is watched. */
  start(side: SettingsSide): void {
    this.#side = side
    if (this.#refused !== undefined) this.#refuse(this.#refused)
    const repeat = setInterval(() => this.say(), SETTINGS_REPEAT_MS)
    const stopWatching = watchSettingsFile(this.#init.file, () => this.readAgain())
    this.#stop = () => {
      clearInterval(repeat)
      stopWatching()
    }
  }

  /** Tells the mesh, if this aggregator leads. */
  say(): void {
    if (this.#side?.leads() !== true) return
    this.#init.store.writeFact(SETTINGS_FACT, JSON.stringify(this.#document))
    this.#side.publish(SETTINGS_TOPIC, this.#signed, SETTINGS_TTL_MS)
    this.#side.inForce(this.#document.version)
  }

  stop(): void {
    this.#stop()
  }

  #read(): SettingsDocument {
    return readSettingsFile(this.#init.file, this.#init.mesh, this.#init.registries())
  }

  /** The file changed, or what it may name. */
  readAgain(): void {
    try {
      const next = this.#read()
      if (JSON.stringify(next) === JSON.stringify(this.#document)) return
      requireNewer(next, this.#document.version + 1)
      this.#signed = signFor(next, this.#init.keys)
      this.#document = next
      this.say()
    } catch (error) {
      this.#refuse(messageOf(error))
    }
  }

  #refuse(why: string): void {
    this.#init.log.warn({ err: why }, 'settings refused')
    this.#side?.refused(why)
  }
}

/** Throws a UsageError below `version`: the agents, which keep the highest they have seen, would refuse it. */
function requireNewer(document: SettingsDocument, version: number): void {
  if (document.version >= version) return
  throw new UsageError(`settings version ${document.version} is too low`, `raise version to at least ${version}`)
}

function signFor(document: SettingsDocument, keys: KeyPair): Uint8Array {
  const bytes = encodeSettings(signSettings(document, (content) => keys.sign(content)))
  if (bytes.length <= NOTE_BYTES_MAX) return bytes
  throw new UsageError(`the settings take ${bytes.length} bytes, more than the ${NOTE_BYTES_MAX} that fit one note`)
}
