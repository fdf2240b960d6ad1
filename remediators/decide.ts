/** A person's decision has arrived: is it for this very plan, is it in time, is it new? Pure. */
import type { Moment } from '../common/moment.ts'
import { restPlan } from './cases.ts'
import type { Decision } from './permits.ts'
import type { Rules } from './policy/rules.ts'
import {
  enterPhase,
  type Fix,
  type FixState,
  findFix,
  type StepResult,
  useDecision,
  type Waiting,
  waitingOf,
} from './state.ts'

/**
 * Records an approval, on which the leader will be asked, or ends the plan on a rejection. A decision that does not fit is
 * refused and changes nothing: the plan stays open to one that does.
 */
export function onDecision(
  { node }: Pick<Rules, 'node'>,
  state: FixState,
  now: Moment,
  decision: Decision,
): StepResult {
  const checked = check(node, state, decision)
  if (typeof checked === 'string') {
    return { state, effects: [{ kind: 'refuse', what: 'decision', id: decision.id, why: checked }] }
  }
  const used = useDecision(state, decision.id)
  const who = `${decision.by} via ${decision.via}`
  const decisionId = decision.id
  const { fix, waiting } = checked
  if (decision.action === 'reject') {
    const why = `rejected by ${who}${decision.reason === '' ? '' : `: ${decision.reason}`}`
    const entered = enterPhase(used, fix, now, { phase: 'rejected', why, stage: { kind: 'ended' }, decisionId })
    return { ...entered, state: restPlan(entered.state, fix.remediation, now.ms) }
  }
  // Those approved first begin first.
  const notBeforeMs = Math.max(waiting.notBeforeMs, now.ms)
  const approval = { decisionId, by: who, expiresMs: now.ms + decision.ttlMs }
  const why = `approved by ${who}: it begins once the leader permits it`
  return enterPhase(used, fix, now, {
    phase: 'proposed',
    why,
    stage: { ...waiting, approval, notBeforeMs },
    decisionId,
  })
}

/** Approvals that came to nothing in time; their plans wait for a new one. */
export function voidApprovals(before: FixState, now: Moment): StepResult {
  let state = before
  const effects = []
  for (const fix of before.fixes) {
    const waiting = fix.stage.kind === 'waiting' ? fix.stage : undefined
    const { expiresMs = null, by = '' } = waiting?.approval ?? {}
    if (waiting === undefined || expiresMs === null || now.ms <= expiresMs) continue
    const entered = voidApproval(state, fix, waiting, now, `the approval by ${by} was not used in time and is void`)
    state = entered.state
    effects.push(...entered.effects)
  }
  return { state, effects }
}

export function voidApproval(state: FixState, fix: Fix, waiting: Waiting, now: Moment, why: string): StepResult {
  return enterPhase(state, fix, now, {
    phase: 'awaiting-approval',
    why: `${why}: waiting for a new one`,
    stage: { ...waiting, approval: null },
    decisionId: undefined,
  })
}

/** The fix that `decision` decides on, or why it decides on none. */
function check(node: string, state: FixState, decision: Decision): { fix: Fix; waiting: Waiting } | string {
  if (decision.node !== node) return `it is for node ${decision.node}`
  if (state.usedDecisions.includes(decision.id)) return 'it has been used'
  const fix = findFix(state, decision.planId)
  if (fix === undefined) return 'there is no such plan'
  const { plan, phase, mode } = fix.remediation
  if (decision.planHash !== plan.planHash) return 'it was given for a plan with other content'
  if (decision.evidenceHash !== plan.evidenceHash) return 'it was given on other evidence'
  const waiting = fix.stage.kind === 'permitted' ? undefined : waitingOf(fix)
  if (waiting === undefined) return `the plan is past deciding: ${phase}`
  if (decision.action === 'reject') return { fix, waiting }
  if (waiting.approval !== null) return `the plan is already approved, by ${waiting.approval.by}`
  if (mode !== 'approve') return `its rule is in mode ${mode}`
  // Written so that it also holds for NaN.
  if (!(decision.ttlMs > 0)) return 'it has expired'
  return { fix, waiting }
}
