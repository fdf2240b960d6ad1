/** What a node remembers of its fixes, in memory and on disk. Plain data: it survives a round trip through JSON. */
import type { Moment } from '../common/moment.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Plan, Remediation, RemediationPhase } from './contract.ts'
import type { Permit, PermitRequest } from './permits.ts'
import type { Window } from './policy/model.ts'

/** Waits to be begun: for a person, a window, the leader, or its turn. */
export interface Waiting {
  readonly kind: 'waiting'
  readonly approval: Approval | null
  /**
   * Whether a report has shown the fault, and the rules made this plan of it, since the process started and since the rules
   * changed. Nothing else is begun.
   */
  readonly confirmed: boolean
  /** Not before this the leader is asked. */
  readonly notBeforeMs: number
  /** Requests in a row that nobody answered. */
  readonly unanswered: number
  /** Cut off from the leader: when it is begun without a permit; null while that has not been settled. */
  readonly aloneAtMs: number | null
}

/** Where a fix stands; the phase that others see is coarser. Two stages keep what it goes back to when nothing is begun. */
export type Stage =
  | Waiting
  | { readonly kind: 'asking'; readonly waiting: Waiting; readonly nonce: string; readonly askedMs: number }
  /** About to begin, while diagnostics are collected. `permit`: null when it begins cut off from the leader. */
  | {
      readonly kind: 'permitted'
      readonly waiting: Waiting
      readonly permit: Permit | null
      readonly beginByMs: number
    }
  | { readonly kind: 'applying'; readonly waiting: Waiting }
  /** `retryAtMs` is set between two looks: the last one could not tell. */
  | { readonly kind: 'verifying'; readonly looks: number; readonly retryAtMs: number | null }
  | { readonly kind: 'reverting'; readonly why: string }
  | { readonly kind: 'ended' }

export interface Approval {
  readonly decisionId: string
  readonly by: string
  /** Void then; null once the leader was asked, or it waits for its window. */
  readonly expiresMs: number | null
}

export interface Fix {
  readonly remediation: Remediation
  readonly stage: Stage
  /** Of its policy: it begins in one of these. */
  readonly windows: readonly Window[]
  /** For each of apply and revert. */
  readonly timeoutMs: number
  /** Where the diagnostics lie that were collected before, in words; null before that. */
  readonly diagnostics: string | null
}

export interface FixState {
  /** One per plan id. Those that ended stand in the order of their end; only the last `ENDED_MAX` are kept. */
  readonly fixes: readonly Fix[]
  /** What was tried for which fault, those touched last at the end. */
  readonly cases: readonly Case[]
  /** Faults that a remediator is looking into. */
  readonly inspections: readonly Inspection[]
  /** Values that fixes have mended, those mended last at the end. */
  readonly mended: readonly MendedValue[]
  /** Ids of what was acted on, newest last: it is never acted on again. */
  readonly usedDecisions: readonly string[]
  readonly usedPermits: readonly string[]
  /** The clock that every time above is on, when this was saved. */
  readonly clockMs: number
}

export type Fault = Pick<Finding, 'detector' | 'reason' | 'cause'>

export interface Inspection extends Fault {
  readonly remediator: string
}

/** A value as a verified fix found it, which somebody may set back. */
export interface MendedValue {
  readonly what: string
  readonly before: string
  readonly verifiedMs: number
  /** How often in a row it had been set back soon after it was mended. */
  readonly setBack: number
}

/** What somebody sets back again and again, and is left alone for it. */
export interface Contest {
  /** The value. */
  readonly what: string
  readonly why: string
  /** RFC 3339. */
  readonly since: string
}

/** What was tried for one fault. */
export interface Case extends Fault {
  /**
   * As reports show it. `there` without a time: nobody saw it come, since it was there as this process began or as it was
   * first tried.
   */
  readonly fault: 'gone' | 'there' | { readonly cameMs: number }
  /** Nothing more is tried; null once the fault is gone. */
  readonly contest: Contest | null
  /** Oldest first. */
  readonly tries: readonly Try[]
  /** From when on a cool-down counts: of this plan, or of everything about this fault. */
  readonly rest: { readonly sinceMs: number; readonly planId: string | null } | null
  /** A person was told that nothing is left to be tried; true until the fault clears. */
  readonly escalated: boolean
  /** As it was last tried. */
  readonly last: Remediation
}

export interface Try {
  readonly remediator: string
  readonly atMs: number
  /** When the fault came that it is for; null where nobody saw it come. */
  readonly cameMs: number | null
  /** `open` while it goes on. */
  readonly outcome: 'open' | 'helped' | 'no-effect' | 'failed'
}

export const EMPTY_FIX_STATE: FixState = {
  fixes: [],
  cases: [],
  inspections: [],
  mended: [],
  usedDecisions: [],
  usedPermits: [],
  clockMs: 0,
}

const ENDED_MAX = 100
/** About one node; one that old also names a plan that has long been superseded. */
const USED_MAX = 1_000

/** It is gossiped and shown; what a plugin or the kernel says in it can be long. */
const WHY_LENGTH_MAX = 1_000

/** Until when, and in which windows, something may be begun. */
export interface Beginning {
  readonly byMs: number
  readonly windows: readonly Window[]
}

/** What the engine wants done, in this order. `save` comes first: nothing is done that is not on disk. */
export type Effect =
  | { readonly kind: 'save' }
  | { readonly kind: 'announce'; readonly remediation: Remediation }
  /** Of a decision or an answer of the leader's that does not fit; nothing has changed. */
  | {
      readonly kind: 'refuse'
      readonly what: 'decision' | 'permit' | 'refusal'
      readonly id: string
      readonly why: string
    }
  | { readonly kind: 'inspect'; readonly remediator: string; readonly options: unknown; readonly finding: Finding }
  | { readonly kind: 'ask'; readonly request: PermitRequest }
  | { readonly kind: 'collect'; readonly plan: Plan }
  | {
      readonly kind: 'apply'
      readonly plan: Plan
      readonly permit: Permit | null
      readonly beginning: Beginning
      readonly timeoutMs: number
    }
  | { readonly kind: 'verify'; readonly plan: Plan }
  | { readonly kind: 'revert'; readonly plan: Plan; readonly timeoutMs: number }

export interface StepResult {
  readonly state: FixState
  readonly effects: readonly Effect[]
}

export const nothing = (state: FixState): StepResult => ({ state, effects: [] })

export function andThen(first: StepResult, next: (state: FixState) => StepResult): StepResult {
  const second = next(first.state)
  return { state: second.state, effects: [...first.effects, ...second.effects] }
}

export function findFix(state: FixState, planId: string): Fix | undefined {
  return state.fixes.find((fix) => fix.remediation.plan.id === planId)
}

/** The fix of `planId` where the caller takes it to be: what it hears can come twice, late, or after a restart. */
export function inStage<K extends Stage['kind']>(state: FixState, planId: string, kind: K) {
  const fix = findFix(state, planId)
  return fix?.stage.kind === kind ? (fix as Fix & { readonly stage: Extract<Stage, { kind: K }> }) : undefined
}

/** The fix that is asked for or worked on; there is at most one. */
export function activeFix(state: FixState): Fix | undefined {
  return state.fixes.find(({ stage }) => stage.kind !== 'waiting' && stage.kind !== 'ended')
}

export function isSameFault(a: Fault, b: Fault): boolean {
  return a.detector === b.detector && a.reason === b.reason && a.cause === b.cause
}

/** What it goes back to when nothing is begun; undefined once something was. */
export function waitingOf({ stage }: Fix): Waiting | undefined {
  if (stage.kind === 'waiting') return stage
  return stage.kind === 'asking' || stage.kind === 'permitted' ? stage.waiting : undefined
}

/** `state` with `fix` at the end, in place of the one of the same plan. */
export function putFix(state: FixState, fix: Fix): FixState {
  const others = state.fixes.filter((other) => other.remediation.plan.id !== fix.remediation.plan.id)
  const surplus = others.filter(({ stage }) => stage.kind === 'ended').slice(0, -(ENDED_MAX - 1))
  return { ...state, fixes: [...others.filter((other) => !surplus.includes(other)), fix] }
}

/** The same place in the list with something else; nothing that others are told has changed. */
export function alter(state: FixState, fix: Fix, parts: Partial<Fix>): FixState {
  return { ...state, fixes: state.fixes.map((other) => (other === fix ? { ...fix, ...parts } : other)) }
}

export function useDecision(state: FixState, id: string): FixState {
  return { ...state, usedDecisions: [...state.usedDecisions, id].slice(-USED_MAX) }
}

export function usePermit(state: FixState, id: string): FixState {
  return { ...state, usedPermits: [...state.usedPermits, id].slice(-USED_MAX) }
}

/** What changes of a remediation with its phase; what it acts on stays unless it is named, and goes with `undefined`. */
export interface Entry {
  readonly phase: RemediationPhase
  readonly why: string
  readonly stage: Stage
  readonly decisionId?: string | undefined
  readonly permitId?: string | undefined
  readonly guards?: Remediation['guards']
}

/** Takes a fix into another phase, to be announced. */
export function enterPhase(state: FixState, fix: Fix, now: Moment, entry: Entry): StepResult {
  const { decisionId, permitId } = { ...fix.remediation, ...entry }
  const { plan, policy, mode, rung, attempt, earlier } = fix.remediation
  const remediation: Remediation = {
    plan,
    phase: entry.phase,
    why: entry.why.slice(0, WHY_LENGTH_MAX),
    at: now.wall,
    policy,
    mode,
    rung,
    attempt,
    ...(decisionId === undefined ? {} : { decisionId }),
    ...(permitId === undefined ? {} : { permitId }),
    ...(entry.guards === undefined ? {} : { guards: entry.guards }),
    ...(entry.stage.kind === 'ended' ? { ended: true } : {}),
    ...(earlier === undefined ? {} : { earlier }),
  }
  return {
    state: putFix(state, { ...fix, remediation, stage: entry.stage }),
    effects: [{ kind: 'announce', remediation }],
  }
}
