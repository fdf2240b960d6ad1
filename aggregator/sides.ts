/** What the aggregator's service is made of: the parts beside it, as it sees them. */
import type { Log } from '../common/log.ts'
import type { Leader } from '../mesh/core/leader.ts'
import type { Roster } from '../mesh/core/model.ts'
import type { CopiesView } from './copies/view.ts'
import type { Journal, MarkingView, OfficeView, PermitsPort, SettingsPort } from './model.ts'
import type { Person } from './people.ts'
import type { PermitsView } from './remediation-model.ts'
import type { SettingsView } from './settings-model.ts'

/** What the service needs of the running mesh node; given once it runs. */
export interface MeshSide {
  /** While this aggregator leads. */
  readonly leader: Leader | undefined
  now(): number
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
  /** The one in force. */
  readonly roster: Roster
}

/** What is to be shown of the settings, and done with them; given once the mesh runs. */
export interface SettingsSide extends SettingsPort {
  view(): SettingsView
}

/** What is permitted to nodes, and held back; given once the mesh runs. */
export interface PermitsSide extends PermitsPort {
  view(): Omit<PermitsView, 'approvals'>
}

/** What part this aggregator plays; given once the mesh runs. */
export interface OfficeSide {
  office(): Omit<OfficeView, 'node'>
  marking(): MarkingView | null
}

export interface ServiceInit {
  readonly store: Journal
  /** In force when it starts. */
  readonly roster: Roster
  readonly node: string
  /** Which life of this aggregator it is: events of different lives have different ids. */
  readonly life: number
  readonly version: string
  /** For whoever looks at the page now. */
  readonly notice: () => string
  /** Who is known by name now. */
  readonly people: () => readonly Person[]
  readonly log: Log
  /** How many aggregators have what this one put on record; left out where they share one record. */
  readonly copies?: () => CopiesView | null
  /** Keeps the roster in force, whose hash this is, for whoever verifies a certificate that was counted on it. */
  keepRoster(hash: string): void
}
