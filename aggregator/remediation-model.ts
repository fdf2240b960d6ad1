/** What people see of remediation at the aggregator beside the plans themselves, and what they decide. Times are RFC 3339. */
import type { Plan } from '../remediators/contract.ts'
import type { GuardVerdict } from '../remediators/permits.ts'

/** Of the event that begins the history of a plan: planned anew, it has the same id and another beginning. */
export function planEventId({ id, createdAt }: Plan): string {
  return `plan/${id}@${createdAt}`
}

/** `approve` also decides on fixes and pauses them; `admin` also changes settings, roster and brakes of the mesh. */
export type Right = 'view' | 'approve' | 'admin'

/** Whoever asks something of the API. */
export interface Caller {
  readonly name: string
  readonly right: Right
  /** Several may have this token: the name is nobody's. */
  readonly isShared: boolean
}

export interface DecisionRequest {
  /** Made of what it was said by, where that can be heard twice; by chance when not given. */
  readonly id?: string
  readonly planId: string
  readonly action: 'approve' | 'reject'
  readonly reason: string
  readonly via: 'page' | 'cli' | 'api' | 'kubernetes'
}

/** Who lets go on what a brake holds, and why. */
export interface Release {
  readonly reason: string
  readonly via: DecisionRequest['via']
}

export type PauseScope = { readonly kind: 'all' } | { readonly kind: 'pool' | 'node'; readonly name: string }

/** What is to count for nothing that failed or spread before: one pool, one reason of findings, or all. */
export type ReleaseScope = { readonly kind: 'all' } | { readonly kind: 'pool' | 'reason'; readonly name: string }

/** While it lasts nothing is begun in its scope; what runs is brought to its end. */
export interface PauseView {
  readonly scope: PauseScope
  readonly by: string
  readonly reason: string
  readonly at: string
  readonly until: string
}

export interface PauseRequest extends Release {
  readonly scope: PauseScope
  /** At most 30 days, in ms. */
  readonly forMs: number
}

/** A permit that was granted and has no outcome yet. */
export interface PermitView {
  readonly id: string
  readonly node: string
  readonly planId: string
  readonly remediator: string
  readonly at: string
}

/** The last no to a plan that is still open. */
export interface RefusalView {
  readonly node: string
  readonly planId: string
  readonly at: string
  /** Those that said no. */
  readonly guards: readonly GuardVerdict[]
  readonly retryAfterMs: number
}

/** The first of the two approvals that a dangerous plan takes. */
export interface FirstApprovalView {
  readonly planId: string
  readonly by: string
  readonly at: string
  /** Somebody else must have approved by then. */
  readonly until: string
}

export interface PermitsView {
  /** Of plans that wait for a second person. */
  readonly approvals: readonly FirstApprovalView[]
  readonly outstanding: readonly PermitView[]
  readonly refused: readonly RefusalView[]
  readonly pauses: readonly PauseView[]
}
