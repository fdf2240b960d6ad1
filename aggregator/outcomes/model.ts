/** What remediation did, would have done and need not have done, as the API tells it. Times RFC 3339, lengths ms. */
import type { Mode } from '../../remediators/contract.ts'

/** What one that was begun came to; the last of them that was said. */
export const OUTCOMES = ['verified', 'no-effect', 'failed', 'reverted', 'revert-failed'] as const
export type Outcome = (typeof OUTCOMES)[number]
export type OutcomeCounts = Readonly<Record<Outcome, number>>

/** One rule for one kind of fault in one pool. */
export interface RuleReport {
  /** Name of the policy; `remediators.NAME` where none fits. */
  readonly policy: string
  readonly mode: Mode
  readonly remediator: string
  readonly reason: string
  /** Of the node now; empty: in none, or no member any more. */
  readonly pool: string
  /** Faults that there was a plan for: in mode auto, guards and windows aside, it would have acted on each. */
  readonly faults: number
  readonly plans: number
  /** Faults that were over before anything was begun, and after how long from the plan. */
  readonly wentAway: number
  readonly wentAwayMedianMs: number | null
  /** Plans that something was begun for. */
  readonly begun: number
  /** Only where one was asked: no guard is in modes observe and suggest. A plan counts once for each guard that refused it. */
  readonly refusedBy: readonly { readonly guard: string; readonly plans: number }[]
  readonly outcomes: OutcomeCounts
}

/** How far a remediator has earned to go by itself. */
export interface TrustRecord {
  readonly reason: string
  readonly remediator: string
  readonly pool: string
  /** Of its latest plan. */
  readonly mode: Mode
  /** Of the last 90 days. */
  readonly outcomes: OutcomeCounts
  readonly suggestion: Suggestion
}

/** For a person, who changes the mode or does not. */
export interface Suggestion {
  readonly what: 'promote' | 'demote' | 'keep'
  /** The mode that it would have then. */
  readonly mode: Mode
  readonly why: string
}

export interface RemediationReport {
  readonly since: string
  /** Those with most faults first. */
  readonly rules: readonly RuleReport[]
  /** Of all that was begun in 90 days, whatever `since` says. */
  readonly records: readonly TrustRecord[]
}
