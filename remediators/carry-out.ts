/**
 * From an approval to an outcome: apply, verify by the detector that found the fault, and put everything back when the
 * fault is still there. Pure. One fix at a time; a step with an unclear result is looked into and never repeated.
 */
import type { Moment } from '../common/moment.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Plan } from './contract.ts'
import type { Rules } from './settings.ts'
import { activeFix, type Effect, enterPhase, type Fix, type FixState, type StepResult, setStage } from './state.ts'

/** A detector that cannot look gets two more chances; then the fix counts as not verified. */
const LOOKS_MAX = 3
const LOOK_AGAIN_MS = 10_000

export type ApplyResult = { readonly kind: 'ok' } | { readonly kind: 'stale' | 'failed'; readonly why: string }

/** Time has passed, or something has ended: voids late approvals, looks again, or starts the next approved fix. */
export function onTick(before: FixState, now: Moment): StepResult {
  const { state, effects } = voidApprovals(before, now, ({ receivedMs, ttlMs }) => now.ms - receivedMs > ttlMs, 'late')
  const active = activeFix(state)
  if (active === undefined) return startNext(state, effects, now)
  const { stage } = active
  if (stage.kind !== 'verifying' || stage.retryAtMs === null || now.ms < stage.retryAtMs) return { state, effects }
  return {
    state: setStage(state, active, { ...stage, looks: stage.looks + 1, retryAtMs: null }),
    effects: [...effects, { kind: 'verify', plan: active.remediation.plan }],
  }
}

/** The process has started with `before` from disk. Times in it were measured by an earlier clock. */
export function onResume(before: FixState, now: Moment): StepResult {
  const rebased: FixState = {
    ...before,
    // A cool-down starts anew: longer than meant, never shorter.
    fixes: before.fixes.map((fix) =>
      fix.stage.kind === 'ended' ? { ...fix, stage: { kind: 'ended', atMs: now.ms } } : fix,
    ),
  }
  const { state } = voidApprovals(rebased, now, () => true, 'restarted')
  const active = activeFix(state)
  if (active === undefined) return { state, effects: sayAgain(before, state) }
  const { plan } = active.remediation
  if (active.stage.kind === 'reverting') {
    return { state, effects: [...sayAgain(before, state), { kind: 'revert', plan }] }
  }
  // Applied, half applied or not at all: nobody knows. The detector does, and it is not applied again.
  const why = 'the agent restarted during the fix: looking whether the fault is gone'
  const entered = enterPhase(state, active, now, 'verifying', why, { kind: 'verifying', looks: 1, retryAtMs: null })
  return { state: entered.state, effects: [...sayAgain(before, entered.state), { kind: 'verify', plan }] }
}

/**
 * What is open, and what was recorded last: a record is saved before it is announced, so after a crash nobody else may
 * have heard of it.
 */
function sayAgain(before: FixState, { fixes }: FixState): readonly Effect[] {
  const lastAt = before.fixes
    .map(({ remediation }) => remediation.at)
    .toSorted()
    .at(-1)
  return fixes
    .filter(({ stage, remediation }) => stage.kind !== 'ended' || remediation.at === lastAt)
    .map(({ remediation }) => ({ kind: 'announce', remediation }))
}

export function onApplied(state: FixState, now: Moment, planId: string, result: ApplyResult): StepResult {
  const fix = inStage(state, planId, 'applying')
  if (fix === undefined) return { state, effects: [] }
  const { plan } = fix.remediation
  switch (result.kind) {
    case 'ok': {
      const stage = { kind: 'verifying', looks: 1, retryAtMs: null } as const
      const entered = enterPhase(state, fix, now, 'verifying', 'applied: looking whether the fault is gone', stage)
      return { state: entered.state, effects: [entered.announce, { kind: 'verify', plan }] }
    }
    case 'stale':
      return end(state, fix, now, 'refused', `nothing was changed: ${result.why}`)
    case 'failed':
      return revert(state, fix, result.why, 'failed')
  }
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
  if (fix === undefined || fix.stage.kind !== 'verifying' || fix.stage.retryAtMs !== null) return { state, effects: [] }
  const { plan } = fix.remediation
  const unclear = findings.find(({ status }) => status === 'unknown' || status === 'not-applicable')
  if (findings.length === 0 || unclear !== undefined) {
    const why = `it cannot be verified: ${unclear?.summary ?? 'the detector gave no report'}`
    if (fix.stage.looks >= LOOKS_MAX) return revert(state, fix, why, 'reverted')
    return { state: setStage(state, fix, { ...fix.stage, retryAtMs: now.ms + LOOK_AGAIN_MS }), effects: [] }
  }
  const left = findings.find((finding) => isSameFault(rules, plan, finding))
  if (left !== undefined) return revert(state, fix, `the fault is still there: ${left.summary}`, 'reverted')
  return end(state, fix, now, 'verified', `${plan.detector} looked again, and the fault is gone`)
}

export function onReverted(state: FixState, now: Moment, planId: string, failure: string | null): StepResult {
  const fix = inStage(state, planId, 'reverting')
  if (fix === undefined || fix.stage.kind !== 'reverting') return { state, effects: [] }
  const { why, outcome } = fix.stage
  if (failure === null) return end(state, fix, now, outcome, `${why}; everything was put back`)
  const undo = fix.remediation.plan.changes.map((change) => change.undo).join('; ')
  return end(state, fix, now, 'revert-failed', `${why}; putting it back failed: ${failure}. By hand: ${undo}`)
}

function startNext(state: FixState, effects: readonly Effect[], now: Moment): StepResult {
  const approved = state.fixes
    .flatMap((fix) =>
      fix.stage.kind === 'waiting' && fix.stage.approval ? [{ fix, approval: fix.stage.approval }] : [],
    )
    .toSorted((a, b) => a.approval.receivedMs - b.approval.receivedMs)
  const next = approved[0]
  if (next === undefined) return { state, effects }
  const why = `approved by ${next.approval.by}`
  const { decisionId } = next.approval
  const entered = enterPhase(state, next.fix, now, 'applying', why, { kind: 'applying' }, decisionId)
  const { plan } = next.fix.remediation
  return { state: entered.state, effects: [...effects, entered.announce, { kind: 'apply', plan }] }
}

/** Approvals that do not count any more; their plans wait for a new one. */
function voidApprovals(
  before: FixState,
  now: Moment,
  isVoid: (approval: { receivedMs: number; ttlMs: number }) => boolean,
  reason: 'late' | 'restarted',
): StepResult {
  let state = before
  const effects: Effect[] = []
  for (const fix of before.fixes) {
    if (fix.stage.kind !== 'waiting' || fix.stage.approval === null || !isVoid(fix.stage.approval)) continue
    const what = reason === 'late' ? 'was not started in time' : 'was not started before the agent restarted'
    const why = `the approval by ${fix.stage.approval.by} ${what} and is void: waiting for a new one`
    const entered = enterPhase(state, fix, now, 'awaiting-approval', why, { kind: 'waiting', approval: null })
    state = entered.state
    effects.push(entered.announce)
  }
  return { state, effects }
}

function revert(state: FixState, fix: Fix, why: string, outcome: 'failed' | 'reverted'): StepResult {
  return {
    state: setStage(state, fix, { kind: 'reverting', why, outcome }),
    effects: [{ kind: 'revert', plan: fix.remediation.plan }],
  }
}

type EndPhase = 'verified' | 'reverted' | 'revert-failed' | 'failed' | 'refused'

function end(state: FixState, fix: Fix, now: Moment, phase: EndPhase, why: string): StepResult {
  const entered = enterPhase(state, fix, now, phase, why, { kind: 'ended', atMs: now.ms })
  return { state: entered.state, effects: [entered.announce] }
}

/** The fix of `planId` if it is where the caller takes it to be: a result can come twice, or after a restart. */
function inStage(state: FixState, planId: string, kind: Fix['stage']['kind']): Fix | undefined {
  return state.fixes.find((fix) => fix.remediation.plan.id === planId && fix.stage.kind === kind)
}

/** Milder or worse by now, it is the same fault as long as the same remediator would take it on for the same cause. */
function isSameFault({ byName }: Rules, plan: Plan, { status, reason, cause }: Finding): boolean {
  const handles = byName.get(plan.remediator)?.remediator.handles ?? []
  return status !== 'ok' && cause === plan.cause && (reason === plan.reason || handles.includes(reason))
}
