/**
 * From a change to an outcome: verified by the detector that found the fault, or put back when the fault is still there.
 * Pure. A step with an unclear result is looked into and never repeated.
 */
import type { Moment } from '../common/moment.ts'
import type { Finding } from '../detectors/contract.ts'
import { standBack } from './begin.ts'
import { closeTry, dropTry, recordMended, restPlan } from './cases.ts'
import type { Plan } from './contract.ts'
import type { Rules } from './policy/rules.ts'
import { escalate } from './propose.ts'
import {
  activeFix,
  alter,
  andThen,
  enterPhase,
  type Fix,
  type FixState,
  inStage,
  nothing,
  type StepResult,
} from './state.ts'

/** A detector that cannot look gets two more chances; then the fix counts as without effect. */
const LOOKS_MAX = 3
const LOOK_AGAIN_MS = 10_000

export type ApplyResult =
  | { readonly kind: 'ok' }
  /** `stale`: the host had changed, and nothing was done. `not-begun`: it was too late, and nothing was tried. */
  | { readonly kind: 'stale' | 'failed' | 'not-begun'; readonly why: string }

/** Looks again, when a look could not tell and its pause is over. */
export function lookAgain(state: FixState, now: Moment): StepResult {
  const active = activeFix(state)
  const stage = active?.stage
  if (active === undefined || stage?.kind !== 'verifying') return nothing(state)
  if (stage.retryAtMs === null || now.ms < stage.retryAtMs) return nothing(state)
  return {
    state: alter(state, active, { stage: { ...stage, looks: stage.looks + 1, retryAtMs: null } }),
    effects: [{ kind: 'verify', plan: active.remediation.plan }],
  }
}

export function onApplied(state: FixState, now: Moment, planId: string, result: ApplyResult): StepResult {
  const fix = inStage(state, planId, 'applying')
  if (fix === undefined) return nothing(state)
  const { remediation } = fix
  switch (result.kind) {
    case 'ok':
      return verify(state, fix, now, 'applied: looking whether the fault is gone')
    case 'stale': {
      const why = `nothing was changed: ${result.why}`
      const entered = enterPhase(state, fix, now, { phase: 'refused', why, stage: { kind: 'ended' } })
      return { ...entered, state: restPlan(entered.state, remediation, now.ms) }
    }
    case 'not-begun': {
      const back = { ...fix, stage: fix.stage.waiting }
      return standBack(dropTry(state, remediation), back, now, result.why)
    }
    case 'failed':
      return putBack(state, fix, now, 'failed', result.why)
  }
}

/** Lets the detector look at what was applied, or may have been. */
export function verify(state: FixState, fix: Fix, now: Moment, why: string): StepResult {
  const stage = { kind: 'verifying', looks: 1, retryAtMs: null } as const
  const entered = enterPhase(state, fix, now, { phase: 'verifying', why, stage })
  return { ...entered, effects: [...entered.effects, { kind: 'verify', plan: fix.remediation.plan }] }
}

/** `findings` is a fresh report of the plan's detector; empty when there was none. */
export function onVerified(
  rules: Rules,
  state: FixState,
  now: Moment,
  planId: string,
  findings: readonly Finding[],
): StepResult {
  const fix = inStage(state, planId, 'verifying')
  if (fix === undefined || fix.stage.retryAtMs !== null) return nothing(state)
  const { plan } = fix.remediation
  const unclear = findings.find(({ status }) => status === 'unknown' || status === 'not-applicable')
  if (findings.length === 0 || unclear !== undefined) {
    if (fix.stage.looks < LOOKS_MAX) {
      return nothing(alter(state, fix, { stage: { ...fix.stage, retryAtMs: now.ms + LOOK_AGAIN_MS } }))
    }
    return hadNoEffect(
      rules,
      state,
      fix,
      now,
      `it cannot be verified: ${unclear?.summary ?? 'the detector gave no report'}`,
    )
  }
  const left = findings.find((finding) => isLeft(rules, plan, finding))
  if (left !== undefined) return hadNoEffect(rules, state, fix, now, `the fault is still there: ${left.summary}`)
  const why = `${plan.detector} looked again, and the fault is gone`
  const entered = enterPhase(state, fix, now, { phase: 'verified', why, stage: { kind: 'ended' } })
  return { ...entered, state: recordMended(entered.state, fix.remediation, now.ms) }
}

export function onReverted(state: FixState, now: Moment, planId: string, failure: string | null): StepResult {
  const fix = inStage(state, planId, 'reverting')
  if (fix === undefined) return nothing(state)
  const { remediation } = fix
  const outcome = remediation.phase === 'failed' ? 'failed' : 'no-effect'
  const closed = closeTry(state, remediation, outcome, now.ms)
  const ended = { kind: 'ended' } as const
  if (failure === null) {
    return enterPhase(closed, fix, now, {
      phase: 'reverted',
      why: `${fix.stage.why}; everything was put back`,
      stage: ended,
    })
  }
  const undo = remediation.plan.changes.map((change) => change.undo).join('; ')
  const why = `${fix.stage.why}; putting it back failed: ${failure}. By hand: ${undo}`
  const entered = enterPhase(closed, fix, now, { phase: 'revert-failed', why, stage: ended })
  return andThen(entered, (next) =>
    escalate(next, now, remediation, `nothing more is tried, a person is needed: ${why}`),
  )
}

/** Of one that cannot be undone this is the end. */
function hadNoEffect(rules: Rules, state: FixState, fix: Fix, now: Moment, why: string): StepResult {
  const isReversible = rules.byName.get(fix.remediation.plan.remediator)?.remediator.reversible ?? true
  if (isReversible) return putBack(state, fix, now, 'no-effect', why)
  const entered = enterPhase(state, fix, now, {
    phase: 'no-effect',
    why: `${why}; it cannot be undone`,
    stage: { kind: 'ended' },
  })
  return { ...entered, state: closeTry(entered.state, fix.remediation, 'no-effect', now.ms) }
}

function putBack(state: FixState, fix: Fix, now: Moment, phase: 'failed' | 'no-effect', why: string): StepResult {
  const { plan } = fix.remediation
  const entered = enterPhase(state, fix, now, { phase, why, stage: { kind: 'reverting', why } })
  return { ...entered, effects: [...entered.effects, { kind: 'revert', plan, timeoutMs: fix.timeoutMs }] }
}

/** Milder or worse by now, it is the same fault as long as the same remediator would take it on for the same cause. */
function isLeft({ byName }: Rules, plan: Plan, { status, reason, cause }: Finding): boolean {
  const handles = byName.get(plan.remediator)?.remediator.handles ?? []
  return status !== 'ok' && cause === plan.cause && (reason === plan.reason || handles.includes(reason))
}
