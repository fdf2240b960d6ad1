/**
 * What a remediator is. `plan` is pure: from a finding it says what would change, from what, to what, and how to undo
 * it. A person (or a policy) decides on that plan and nothing else. `apply` carries it out, is idempotent, and refuses
 * when the host no longer looks as the plan says it does.
 */
import type { z } from 'zod'
import type { Finding } from '../detectors/contract.ts'

/** What a fix can disturb. `none`: no process is stopped or restarted. */
export type Reach = 'none' | 'process' | 'host' | 'workloads' | 'machine'
export type Risk = 'low' | 'medium' | 'dangerous'

/** One line of a plan: a value, what it is, what it becomes, and the command that puts it back. */
export interface Change {
  readonly what: string
  readonly before: string
  readonly after: string
  readonly undo: string
}

export interface Plan {
  /** Derived from node, remediator and changes: planning the same thing twice gives the same id. */
  readonly id: string
  readonly node: string
  readonly remediator: string
  readonly detector: string
  readonly reason: string
  readonly cause: string
  readonly findingId: string
  readonly changes: readonly Change[]
  readonly reach: Reach
  readonly risk: Risk
  /** SHA-256, hex, of everything above but `id` and `findingId`: a decision names the very plan a person saw. */
  readonly planHash: string
  /** SHA-256, hex, of the finding's evidence. */
  readonly evidenceHash: string
  readonly createdAt: string
}

/** The way a remediation goes; every state but the last row of terminal ones can be left. */
export type RemediationPhase =
  | 'awaiting-approval'
  | 'applying'
  | 'verifying'
  | 'verified'
  | 'reverted'
  | 'revert-failed'
  | 'failed'
  | 'refused'
  | 'rejected'
  | 'withdrawn'

/** What a node says about one plan of its own; each phase is said once and supersedes the one before. */
export interface Remediation {
  readonly plan: Plan
  readonly phase: RemediationPhase
  /** Why it is in this phase, one sentence for a person. */
  readonly why: string
  readonly at: string
  /** The decision that it acts on, once there is one. */
  readonly decisionId?: string
}

/** A person's decision, signed by the aggregator, good for one plan and one use. */
export interface Decision {
  readonly id: string
  readonly planId: string
  readonly planHash: string
  readonly evidenceHash: string
  readonly node: string
  readonly action: 'approve' | 'reject'
  /** Who decided, and through what. */
  readonly by: string
  readonly via: 'page' | 'cli' | 'api'
  readonly reason: string
  readonly at: string
  /** An approval that has not been started within this time after it was received is void. */
  readonly ttlMs: number
}

/** The only hands a remediator has. Paths are absolute paths of the host. */
export interface Control {
  readText(path: string): Promise<string>
  writeText(path: string, text: string): Promise<void>
}

/** The host no longer matches the plan's before-value: nothing was changed. */
export class StalePlan extends Error {
  override name = 'StalePlan'
}

export interface Remediator<O = unknown> {
  readonly name: string
  readonly summary: string
  /** Finding reasons that it can do something about. */
  readonly handles: readonly string[]
  readonly reach: Reach
  readonly risk: Risk
  readonly options: z.ZodType<O>
  /** Pure. The changes that would mend the finding, or null when there is nothing it can do. */
  plan(finding: Finding, options: O): readonly Change[] | null
  /** Idempotent. Throws StalePlan, having changed nothing, when a before-value differs and is not the after-value. */
  apply(plan: Plan, control: Control, signal: AbortSignal): Promise<void>
  /** Puts every before-value back. Throws when one cannot be put back. */
  revert(plan: Plan, control: Control, signal: AbortSignal): Promise<void>
}

export function defineRemediator<O>(remediator: Remediator<O>): Remediator<O> {
  return remediator
}
