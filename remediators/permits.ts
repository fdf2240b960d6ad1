/**
 * What goes to and fro between a node and the leader before a fix is begun. A person decides on a plan; the node asks the
 * leader when it wants to begin; the leader looks at every guard and grants a permit or refuses.
 */
import type { Mode } from './modes.ts'

/** What a person says about a plan, signed by the aggregator that leads; good for one plan and one use. */
export interface Decision {
  readonly id: string
  readonly planId: string
  readonly planHash: string
  readonly evidenceHash: string
  readonly node: string
  readonly action: 'approve' | 'reject'
  /** Who decided, and through what. */
  readonly by: string
  readonly via: 'page' | 'cli' | 'api' | 'kubernetes'
  readonly reason: string
  readonly at: string
  /** An approval whose permit the node has not asked for within this time after it was received is void. */
  readonly ttlMs: number
}

/**
 * A node asks whether it may begin. Said anew, with another nonce, when there is no answer in time: with that it says that it
 * has begun nothing by an answer to an earlier request for this plan, and never will.
 */
export interface PermitRequest {
  readonly node: string
  readonly planId: string
  readonly planHash: string
  readonly evidenceHash: string
  /** 128 bits of chance, hex, made for this request: an answer to another request is no answer. */
  readonly nonce: string
  /** Of the rule that the plan falls under, as the node reads its settings. */
  readonly mode: Extract<Mode, 'approve' | 'auto'>
  /** The decision that it goes back to, in mode approve. */
  readonly decisionId?: string
}

/** The leader's word that a node may begin, once, with one plan. Signed; recorded before it is sent. */
export interface Permit {
  readonly id: string
  readonly node: string
  readonly planId: string
  readonly planHash: string
  readonly evidenceHash: string
  readonly nonce: string
  /** RFC 3339, for people: the node counts the time to its beginning on a clock of its own. */
  readonly at: string
}

/** What one guard says about one request. */
export interface GuardVerdict {
  /** kebab-case, as `budget-pool`. */
  readonly guard: string
  readonly allowed: boolean
  /** One sentence with the figures that it was decided by. */
  readonly why: string
  /** Of one that said no: how long it is not worth asking again. */
  readonly restMs?: number
}

/** The leader's no to a request. Signed. */
export interface Refusal {
  readonly node: string
  readonly planId: string
  readonly nonce: string
  /** Those that said no, at least one. */
  readonly guards: readonly GuardVerdict[]
  /** How long the node must not ask for this plan again. */
  readonly retryAfterMs: number
}

/** A node must begin within this time of its own monotonic clock after it asked; an unused permit is void then. */
export const BEGIN_WITHIN_MS = 30_000
