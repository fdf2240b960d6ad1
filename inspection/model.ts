/** One inspection of the fleet: every check on every node, counted per role, with what was wrong and who said nothing. */

/** The roles of the default profile, in the order of reports. A node that has several is counted in each. */
export const INSPECTED_ROLES = ['etcd', 'control-plane', 'compute', 'other-services'] as const
export type InspectedRole = (typeof INSPECTED_ROLES)[number]

/** The columns of a report, in their order; those of one check and role sum to the nodes of that role. */
export const COLUMNS = ['error', 'alarm', 'warn', 'info', 'unknown', 'silent', 'notApplicable'] as const
export type Column = (typeof COLUMNS)[number]

/** Nodes. `info` counts the fine ones, too. */
export type Counts = Readonly<Record<Column, number>>

/** Why nothing is known of a node now: convicted, its agent dead, nobody reached it, or it was reached and did not answer. */
export type SilentWhy = 'NodeDown' | 'AgentDown' | 'unreachable' | 'no-answer'

export interface CheckRow {
  /** Of the profile: usually the name of a detector. */
  readonly check: string
  readonly counts: Counts
}

export interface RoleSection {
  readonly role: string
  readonly nodes: number
  /** In the profile's order. */
  readonly checks: readonly CheckRow[]
}

/** One thing that is wrong with one node, or not known of it. */
export interface Trouble {
  readonly node: string
  readonly roles: readonly string[]
  readonly check: string
  readonly column: Exclude<Column, 'info' | 'silent' | 'notApplicable'>
  readonly reason: string
  readonly summary: string
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
  readonly nodes: number
  readonly sections: readonly RoleSection[]
  readonly troubles: readonly Trouble[]
  readonly silent: readonly SilentNode[]
}
