/** What the settings are made of at an aggregator, and what they see of the mesh. */
import type { Logger } from '../common/pino-log.ts'
import type { AppliedSettings } from '../settings/notes.ts'
import type { Placed } from '../settings/stages.ts'
import type { Registries } from '../settings/validate.ts'
import type { NodeSeen } from './rollout-rules.ts'
import type { LedgerInit } from './settings-ledger.ts'
import type { SettingsStory } from './settings-story.ts'
import type { VersionHolds } from './version-holds.ts'

export interface SettingsInit extends LedgerInit {
  readonly file: string
  /** What settings can be about; changes as plugins come and go. */
  readonly registries: () => Registries
  readonly log: Logger
}

/** Who is told, and what is known of the mesh. */
export interface SettingsMesh {
  readonly story: SettingsStory
  readonly holds: Pick<VersionHolds, 'held' | 'release'>
  /** Only the leader hands settings out. */
  leads(): boolean
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
  exchange(holds: readonly Uint8Array[], seeks: readonly string[]): void
  members(): readonly Placed[]
  /** While this aggregator leads. */
  nodesSeen(): readonly NodeSeen[]
  applied(): ReadonlyMap<string, AppliedSettings>
}
