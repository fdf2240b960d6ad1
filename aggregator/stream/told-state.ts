/** The present as pages are told it: the whole of it once, and then what changed. The order of what is listed says nothing. */
import type { Finding } from '../../detectors/contract.ts'
import type { Remediation } from '../../remediators/contract.ts'
import type { MemberView, Snapshot, VerdictView } from '../model.ts'

/** The snapshot, without what nodes find to be well: of a large fleet that is nearly all, and nobody reads it one by one. */
export interface ToldState extends Omit<Snapshot, 'findings'> {
  /** Those that are neither ok nor not-applicable. */
  readonly findings: readonly Finding[]
  /** How many there are of the others. */
  readonly wellFindings: { readonly ok: number; readonly notApplicable: number }
}

/** What there can be thousands of: told one by one, each by its key. All else is told part by part. */
export interface ListedByKey {
  readonly members: MemberView
  readonly findings: Finding
  readonly verdicts: VerdictView
  readonly remediations: Remediation
}

export type Parts = Omit<ToldState, keyof ListedByKey>

/** Each state that was told has a number; another one has another. */
export type NumberedState = ToldState & { readonly number: number }

export interface Changes<T> {
  /** New, or in place of what has its key. */
  readonly put: readonly T[]
  /** Keys of those that are there no more. */
  readonly removed: readonly string[]
}

/** What makes the state `number` of the state `basedOn`, and of no other. */
export type StateChange = { readonly [L in keyof ListedByKey]: Changes<ListedByKey[L]> } & {
  readonly basedOn: number
  readonly number: number
  /** Those that changed, whole. */
  readonly parts: Partial<Parts>
}
