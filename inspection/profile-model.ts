/** What a profile of inspections is: which roles, in which order, by which checks. */
import type { Title } from './model.ts'

export interface ProfileCheck {
  /** Unique in its role. */
  readonly check: string
  /**
   * Whose findings count, the worst of them; without it those of the detector of the check's own name. `others`: of all that
   * no check of the node's roles names, as those of plugins.
   */
  readonly detectors?: readonly string[] | 'others'
  readonly title?: Title
  readonly wanted?: string
}

export interface ProfileRole {
  readonly role: string
  /** Node roles whose nodes belong here, the role's own name when not given; `others`: nodes that belong to no other. */
  readonly of?: readonly string[] | 'others'
  /** Whether nodes belong here that have no role at all, as plain workers of Kubernetes have none. */
  readonly withoutRole?: boolean
  readonly title?: Title
  readonly checks: readonly ProfileCheck[]
}

export interface InspectionProfile {
  readonly name: string
  /** In the order of reports. */
  readonly roles: readonly ProfileRole[]
}

/** What is asked for of a profile. Without roles or checks: all of them. */
export interface Selection {
  readonly roles?: readonly string[]
  readonly checks?: readonly string[]
}

/** By name; none for a check of all others. */
export function detectorsOf({ check, detectors }: ProfileCheck): readonly string[] {
  return detectors === 'others' ? [] : (detectors ?? [check])
}
