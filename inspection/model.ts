/** One inspection of the fleet: every check on every node, counted per role, with what was wrong and who said nothing. */
import type { Text } from '../common/languages.ts'

/** The roles of the default profile, in the order of reports. A node that has several is counted in each. */
export const INSPECTED_ROLES = ['etcd', 'control-plane', 'compute', 'other-services'] as const
export type InspectedRole = (typeof INSPECTED_ROLES)[number]

/** The columns of a report, in their order; those of one check and role sum to the nodes of that role. */
export const COLUMNS = ['error', 'alarm', 'warn', 'info', 'unknown', 'silent', 'notApplicable'] as const
export type Column = (typeof COLUMNS)[number]

/** Nodes. `info` counts the fine ones, too. */
export type Counts = Readonly<Record<Column, number>>

/**
 * Why nothing is known of a node now: convicted, its agent dead, its agent stopped on purpose, nobody reached it, or it was
 * reached and did not answer.
 */
export const SILENT_WHYS = ['NodeDown', 'AgentDown', 'left', 'unreachable', 'no-answer'] as const
export type SilentWhy = (typeof SILENT_WHYS)[number]

/** What something is called: in one language whatever the reader's, or in each. Without one it has a text of its own, or its name. */
export type Title = string | Text

export interface CheckRow {
  /** Of the profile: usually the name of a detector. */
  readonly check: string
  readonly title?: Title
  /** What the profile says it should be. */
  readonly wanted?: string
  readonly counts: Counts
}

export interface RoleSection {
  readonly role: string
  readonly title?: Title
  readonly nodes: number
  /** In the profile's order. */
  readonly checks: readonly CheckRow[]
}

/** The columns that somebody should look at, worst first. */
export const TROUBLE_COLUMNS = ['error', 'alarm', 'warn', 'unknown'] as const
export type TroubleColumn = (typeof TROUBLE_COLUMNS)[number]

/** What is wrong with one check of one node, or not known of it: the worst of it. */
export interface Trouble {
  readonly node: string
  readonly roles: readonly string[]
  readonly check: string
  readonly column: TroubleColumn
  readonly reason: string
  readonly summary: string
  /** How many more findings of that column this check has there; not given for none. */
  readonly more?: number
}

export interface SilentNode {
  readonly node: string
  readonly roles: readonly string[]
  readonly why: SilentWhy
}

export interface InspectionRun {
  readonly id: string
  readonly mesh: string
  readonly profile: string
  /** `state`: what nodes had said by then; `fresh`: each was asked and looked anew. */
  readonly origin: 'state' | 'fresh'
  /** RFC 3339. */
  readonly startedAt: string
  readonly finishedAt: string
  /** Each once, however many roles it has. */
  readonly nodes: number
  readonly sections: readonly RoleSection[]
  /** The worst first, then by check and node. */
  readonly troubles: readonly Trouble[]
  readonly silent: readonly SilentNode[]
  /** How many more troubles there were than are kept, the mildest; not given for none. They are counted all the same. */
  readonly leftOut?: number
}
