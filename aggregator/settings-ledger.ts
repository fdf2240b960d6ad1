/** The settings on record: every version as it was signed, and how far they have come. Nothing is said of them here. */
import { StarlingError, UsageError } from '../common/errors.ts'
import type { KeyPair } from '../mesh/identity/keys.ts'
import { saysTheSame } from '../settings/differences.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { type Announcement, digestOf, type Named, targetOf } from '../settings/notes.ts'
import {
  acceptSettings,
  encodeSettings,
  SIGNED_SETTINGS_BYTES_MAX,
  signSettings,
  type Verify,
} from '../settings/signed.ts'
import type { Placed } from '../settings/stages.ts'
import type { Journal } from './model.ts'
import { type KeptSettings, SettingsHistory } from './settings-history.ts'
import { type Progress, readProgress, writeProgress } from './settings-progress.ts'

export interface LedgerInit {
  readonly mesh: string
  readonly store: Journal
  readonly keys: KeyPair
  /** Whether one of the mesh's aggregators signed it. */
  readonly verify: Verify
}

export class SettingsLedger {
  readonly #init: LedgerInit
  readonly #history: SettingsHistory
  #progress: Progress | undefined
  /** By digest, those that are named now: reading one takes milliseconds. */
  #asked: ReadonlyMap<string, SettingsDocument> = new Map()

  /** Throws an Error when the store holds something else in their places. */
  constructor(init: LedgerInit) {
    this.#init = init
    this.#history = new SettingsHistory(init.store)
    this.#progress = readProgress(init.store)
  }

  /** Undefined before there were any settings. */
  get progress(): Progress | undefined {
    return this.#progress
  }

  /** On disk when it returns. */
  record(progress: Progress): void {
    writeProgress(this.#init.store, progress)
    this.#progress = progress
  }

  /** All that are kept, the latest first. */
  get versions(): readonly KeptSettings[] {
    return this.#history.all
  }

  documentOf({ digest }: Pick<Named, 'digest'>): SettingsDocument {
    const bytes = Buffer.from(this.#history.of(digest)?.bytes ?? '', 'base64')
    const answer = acceptSettings(null, bytes, this.#init.mesh, () => true)
    if (answer.accepted) return answer.settings.document
    throw new Error(`settings on record cannot be read: ${answer.why}`)
  }

  /** What is in force, and what is on its way once that is for the node. */
  documentsFor(said: Announcement, node: Placed): readonly SettingsDocument[] {
    const before = this.#asked
    const read = ({ digest }: Named) => [digest, before.get(digest) ?? this.documentOf({ digest })] as const
    this.#asked = new Map(namedIn(said).map(read))
    const digests = new Set([said.current.digest, targetOf(said, node).digest])
    return [...digests].flatMap((digest) => this.#asked.get(digest) ?? [])
  }

  /** Throws UsageError when it is too large. */
  sign(document: SettingsDocument): Uint8Array {
    const bytes = encodeSettings(signSettings(document, (content) => this.#init.keys.sign(content)))
    if (bytes.length <= SIGNED_SETTINGS_BYTES_MAX) return bytes
    throw new UsageError(`the settings take ${bytes.length} bytes, more than ${SIGNED_SETTINGS_BYTES_MAX}`)
  }

  /** Signs it and puts it on record. Throws as `sign` does. */
  keep(document: SettingsDocument): Named {
    return this.#remember(document.version, this.sign(document))
  }

  /** What an aggregator of the mesh signed; undefined for anything else. */
  read(bytes: Uint8Array): SettingsDocument | undefined {
    const answer = acceptSettings(null, bytes, this.#init.mesh, this.#init.verify)
    return answer.accepted ? answer.settings.document : undefined
  }

  /** What another aggregator signed. Returns why it is refused; undefined when it is on record. */
  take(bytes: Uint8Array): string | undefined {
    const answer = acceptSettings(null, bytes, this.#init.mesh, this.#init.verify)
    if (!answer.accepted) return answer.why
    this.#remember(answer.settings.document.version, bytes)
    return undefined
  }

  /** As they were signed, of those that are on record. */
  bytesOf(said: Announcement): readonly Uint8Array[] {
    return namedIn(said).flatMap(({ digest }) => {
      const held = this.#history.of(digest)
      return held === undefined ? [] : [Buffer.from(held.bytes, 'base64')]
    })
  }

  /** Digests of those that are not on record. */
  missingOf(said: Announcement): readonly string[] {
    return namedIn(said).flatMap(({ digest }) => (this.#history.of(digest) === undefined ? [digest] : []))
  }

  /** This very document was handed in before. */
  isKnown(document: SettingsDocument): boolean {
    return this.versions.some((held) => {
      return held.version === document.version && saysTheSame(this.documentOf(held), document)
    })
  }

  /**
   * What is said of and nodes would refuse that have only the roster of now to go by, though this aggregator could sign it for
   * them. What is halted is for a person to end.
   */
  unvouched({ current, next }: Announcement): Named | undefined {
    const named = next ?? current
    const bytes = Buffer.from(this.#history.of(named.digest)?.bytes ?? '', 'base64')
    const isVouchedFor = acceptSettings(null, bytes, this.#init.mesh, this.#init.verify).accepted
    const nothing = new Uint8Array()
    const isOurs = this.#init.verify(nothing, this.#init.keys.sign(nothing))
    return isVouchedFor || !isOurs || (next !== null && next.halted !== null) ? undefined : named
  }

  /**
   * `wanted`, or what the others run where a version is halted or on its way, or what last said something else than the one
   * in force. Throws StarlingError when it is not kept.
   */
  toGoBackTo(wanted: number | undefined, { current, next }: Announcement): KeptSettings {
    const held = this.versions.find((one) => {
      if (wanted !== undefined) return one.version === wanted
      if (next !== null) return one.version === current.version
      return one.version < current.version && !saysTheSame(this.documentOf(one), this.documentOf(current))
    })
    if (held !== undefined) return held
    const what = wanted === undefined ? 'there is no earlier version' : `there is no version ${wanted}`
    const remedy = `kept are: ${this.versions.map(({ version }) => version).join(', ')}`
    throw new StarlingError(`${what} to go back to`, { remedy })
  }

  /** The version that the next one has at least. */
  get nextVersion(): number {
    const named = this.#progress === undefined ? [] : namedIn(this.#progress.said)
    return 1 + Math.max(0, ...named.map(({ version }) => version), this.versions[0]?.version ?? 0)
  }

  #remember(version: number, bytes: Uint8Array): Named {
    const digest = digestOf(bytes)
    const needed = this.#progress === undefined ? [] : namedIn(this.#progress.said).map((named) => named.digest)
    const kept = { version, digest, bytes: Buffer.from(bytes).toString('base64'), at: new Date().toISOString() }
    this.#history.add(kept, needed)
    return { version, digest }
  }
}

function namedIn({ current, next }: Announcement): readonly Named[] {
  return next === null ? [current] : [current, next]
}
