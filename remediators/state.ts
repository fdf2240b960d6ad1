/** What a node remembers of its fixes, in memory and on disk. Plain data: it survives a round trip through JSON. */
import type { Moment } from '../common/moment.ts'
import type { Plan, Remediation, RemediationPhase } from './contract.ts'

/** Where a fix stands; the phase that others see is coarser. */
export type Stage =
  | { readonly kind: 'waiting'; readonly approval: Approval | null }
  | { readonly kind: 'applying' }
  /** `retryAtMs` is set between two looks: the last one could not tell. */
  | { readonly kind: 'verifying'; readonly looks: number; readonly retryAtMs: number | null }
  /** `outcome`: the phase it ends in once every value is back. */
  | { readonly kind: 'reverting'; readonly why: string; readonly outcome: 'failed' | 'reverted' }
  | { readonly kind: 'ended'; readonly atMs: number }

/** An approval whose turn has not come yet. */
export interface Approval {
  readonly decisionId: string
  readonly by: string
  readonly receivedMs: number
  readonly ttlMs: number
}

export interface Fix {
  readonly remediation: Remediation
  readonly stage: Stage
}

export interface FixState {
  /** One per plan id. Those that ended stand in the order of their end; only the last `ENDED_MAX` are kept. */
  readonly fixes: readonly Fix[]
  /** Ids of the decisions acted on, newest last. They are never acted on again. */
  readonly usedDecisions: readonly string[]
}

export const EMPTY_FIX_STATE: FixState = { fixes: [], usedDecisions: [] }

const ENDED_MAX = 100
/** Decisions of people about one node; a decision that old also names a plan that has long been superseded. */
const USED_DECISIONS_MAX = 1_000

/** It is gossiped and shown; what a plugin or the kernel says in it can be long. */
const WHY_LENGTH_MAX = 1_000

/** What the engine wants done, in this order. `save` comes first: nothing is done that is not on disk. */
export type Effect =
  | { readonly kind: 'save' }
  | { readonly kind: 'announce'; readonly remediation: Remediation }
  | { readonly kind: 'refuse'; readonly decisionId: string; readonly planId: string; readonly why: string }
  | { readonly kind: 'apply'; readonly plan: Plan }
  | { readonly kind: 'verify'; readonly plan: Plan }
  | { readonly kind: 'revert'; readonly plan: Plan }

export interface StepResult {
  readonly state: FixState
  readonly effects: readonly Effect[]
}

export function findFix(state: FixState, planId: string): Fix | undefined {
  return state.fixes.find((fix) => fix.remediation.plan.id === planId)
}

/** The fix that is being worked on; there is at most one. */
export function activeFix(state: FixState): Fix | undefined {
  return state.fixes.find(({ stage }) => stage.kind !== 'waiting' && stage.kind !== 'ended')
}

/** `state` with `fix` at the end, in place of the one of the same plan. */
export function putFix(state: FixState, fix: Fix): FixState {
  const others = state.fixes.filter((other) => other.remediation.plan.id !== fix.remediation.plan.id)
  const surplus = others.filter(({ stage }) => stage.kind === 'ended').slice(0, -(ENDED_MAX - 1))
  return { ...state, fixes: [...others.filter((other) => !surplus.includes(other)), fix] }
}

/** The same place in the list with another stage; nothing that others see has changed. */
export function setStage(state: FixState, fix: Fix, stage: Stage): FixState {
  return { ...state, fixes: state.fixes.map((other) => (other === fix ? { ...fix, stage } : other)) }
}

export function useDecision(state: FixState, decisionId: string): FixState {
  return { ...state, usedDecisions: [...state.usedDecisions, decisionId].slice(-USED_DECISIONS_MAX) }
}

/** Takes a fix into another phase, to be announced; `decisionId` is the decision that it acts on from here. */
export function enterPhase(
  state: FixState,
  { remediation: { plan, decisionId: actingOn } }: Fix,
  now: Moment,
  phase: RemediationPhase,
  why: string,
  stage: Stage,
  decisionId = actingOn,
): { state: FixState; announce: Effect } {
  const remediation: Remediation = {
    plan,
    phase,
    why: why.slice(0, WHY_LENGTH_MAX),
    at: now.wall,
    ...(decisionId === undefined ? {} : { decisionId }),
  }
  return { state: putFix(state, { remediation, stage }), announce: { kind: 'announce', remediation } }
}
