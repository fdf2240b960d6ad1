/**
 * What a remediator is. `inspect` looks, `plan` is pure: from a finding and what was seen it says what would change, from
 * what, to what, and how to undo it. A person (or a policy) decides on that plan and nothing else. `apply` carries it out,
 * is idempotent, and refuses when the host no longer looks as the plan says it does.
 */
import type { z } from 'zod'
import type { Duration } from '../common/duration.ts'
import type { Finding, Host, Touches } from '../detectors/contract.ts'
import type { Mode } from './modes.ts'
import type { GuardVerdict } from './permits.ts'

export { MODES, type Mode } from './modes.ts'

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

/**
 * The way a remediation goes, each said once (engine.ts draws it). `proposed`: nobody is asked, or the leader is. `refused`: by
 * the leader's guards, and asked again later, or for good since the host had changed. `no-effect` and `failed`: what was done
 * did not help, or could not be done; it is put back. `escalated`: nothing is left to be tried, and a person is needed.
 */
export const PHASES = [
  'proposed',
  'awaiting-approval',
  'awaiting-window',
  'refused',
  'withdrawn',
  'rejected',
  'permitted',
  'applying',
  'verifying',
  'verified',
  'no-effect',
  'failed',
  'reverted',
  'revert-failed',
  'escalated',
] as const
export type RemediationPhase = (typeof PHASES)[number]

/** What a node says about one plan of its own; each phase is said once and supersedes the one before. */
export interface Remediation {
  readonly plan: Plan
  readonly phase: RemediationPhase
  /** Why it is in this phase, one sentence for a person. */
  readonly why: string
  readonly at: string
  /** Name of the policy that it falls under; `remediators.NAME` where none fits. */
  readonly policy: string
  /** How far it goes by itself: `approve` also where the policy says auto and the remediator is not one for that. */
  readonly mode: Mode
  /** Of the policy's ladder, from 1. */
  readonly rung: number
  /** The how manieth on this rung for this fault within a day, from 1. */
  readonly attempt: number
  /** The decision that it acts on, once there is one. */
  readonly decisionId?: string
  /**
   * The permit that this phase is about. With `ended`, or in a phase before `permitted`, its node says that it neither
   * acts on it now nor ever will.
   */
  readonly permitId?: string
  /** In phase refused: the guards that said no. Without them it was the host, which had changed or has nobody who may. */
  readonly guards?: readonly GuardVerdict[]
  /** Once the node does nothing more about this plan. */
  readonly ended?: true
  /**
   * What the same plan came to, the last times that it was carried out before, oldest first. Others keep one word of each plan,
   * and may never have heard the one that this supersedes.
   */
  readonly earlier?: readonly EarlierEnd[]
}

/** What became of a plan at a time before, for a fault that asked for the same changes. Times RFC 3339, of the node's clock. */
export interface EarlierEnd {
  readonly plannedAt: string
  readonly reason: string
  readonly cause: string
  readonly phase: RemediationPhase
  readonly at: string
}

/** The only hands a remediator has. Paths are absolute paths of the host; what its `touches` does not name throws an Error. */
export interface Control {
  /** What it sees, and the programs that it runs. */
  readonly host: Host
  /** A value of the kernel's, below /proc or /sys, in one write of at most 4 KiB. Never creates a file. */
  writeText(path: string, text: string): Promise<void>
  /**
   * A file of a disk, whole and in one step: whoever reads it has the old text or the new, also after a power cut. Owner and
   * mode stay as they were, root's and 0644 of one that is new. `null` removes it; one that is not there is no error.
   */
  replaceFile(path: string, text: string | null): Promise<void>
  /** Empties a file in place, for one that somebody goes on writing to. Never creates it, never follows a link. */
  truncate(path: string): Promise<void>
}

/** The host no longer matches the plan's before-value: nothing was changed. */
export class StalePlan extends Error {
  override name = 'StalePlan'
}

export interface Remediator<O = unknown, S = unknown> {
  /** kebab-case; also the name under which settings configure it. */
  readonly name: string
  /** At most 63 characters. One that ships with Starling leaves it out: it has the version of the program. */
  readonly version?: string
  readonly summary: string
  /** Finding reasons that it can do something about. */
  readonly handles: readonly string[]
  readonly reach: Reach
  readonly risk: Risk
  /** Whether `revert` brings back all that was. Only of such a one, or with `loses`, may a fix be automatic. */
  readonly reversible: boolean
  /**
   * Of one that is not reversible: all that is gone for good, as the end of "it gives up ...", where nobody wants that back.
   * A policy may then make it automatic (docs/adr/0012). At most 160 characters.
   */
  readonly loses?: string
  /** As of a detector; of what it names in `writes` its hands write, and nothing else. */
  readonly touches: Touches
  /** For each of apply and revert; 30s when not given. After it the result is unclear, and everything is put back. */
  readonly timeout?: Duration
  readonly options: z.ZodType<O>
  /**
   * Everything that the plan must know of the host and the finding does not say. Changes nothing. Left out by one whose
   * findings say all. An Error means that nothing can be planned now, NotApplicable that there is nothing to mend here.
   */
  inspect?(host: Host, finding: Finding, options: O, signal: AbortSignal): Promise<S>
  /** Pure. The changes that would mend the finding, or null when there is nothing it can do. `seen`: what `inspect` returned. */
  plan(finding: Finding, options: O, seen: S): readonly Change[] | null
  /**
   * Idempotent: what is as it is to become is left alone. All that it needs to know stands in the plan's changes, since these
   * are what was decided on. Throws StalePlan, having changed nothing, when a before-value differs and is not the after-value.
   */
  apply(plan: Plan, control: Control, signal: AbortSignal): Promise<void>
  /** Puts every before-value back that can be. Throws when one cannot be put back that `reversible` promises. */
  revert(plan: Plan, control: Control, signal: AbortSignal): Promise<void>
}

export function defineRemediator<O, S = void>(remediator: Remediator<O, S>): Remediator<O, S> {
  return remediator
}
