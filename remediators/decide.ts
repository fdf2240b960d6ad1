/** A decision has arrived: is it for this very plan, is it in time, is it new? Pure. */
import type { Moment } from '../common/moment.ts'
import type { Decision } from './permits.ts'
import type { Rules } from './settings.ts'
import { enterPhase, type Fix, type FixState, findFix, type StepResult, setStage, useDecision } from './state.ts'

/**
 * Records an approval, to be started when its turn comes, or ends the plan on a rejection. A decision that does not fit is
 * refused and changes nothing: the plan stays open to one that does.
 */
export function onDecision(rules: Rules, state: FixState, now: Moment, decision: Decision): StepResult {
  const checked = check(rules, state, decision)
  if (typeof checked === 'string') {
    return { state, effects: [{ kind: 'refuse', decisionId: decision.id, planId: decision.planId, why: checked }] }
  }
  const used = useDecision(state, decision.id)
  const who = `${decision.by} via ${decision.via}`
  if (decision.action === 'reject') {
    const why = `rejected by ${who}${decision.reason === '' ? '' : `: ${decision.reason}`}`
    const entered = enterPhase(used, checked, now, 'rejected', why, { kind: 'ended', atMs: now.ms }, decision.id)
    return { state: entered.state, effects: [entered.announce] }
  }
  const approval = { decisionId: decision.id, by: who, receivedMs: now.ms, ttlMs: decision.ttlMs }
  return { state: setStage(used, checked, { kind: 'waiting', approval }), effects: [] }
}

/** The fix that `decision` decides on, or why it decides on none. */
function check(rules: Rules, state: FixState, decision: Decision): Fix | string {
  if (decision.node !== rules.node) return `it is for node ${decision.node}`
  if (state.usedDecisions.includes(decision.id)) return 'it has been used'
  const fix = findFix(state, decision.planId)
  if (fix === undefined) return 'there is no such plan'
  const { plan, phase } = fix.remediation
  if (decision.planHash !== plan.planHash) return 'it was given for a plan with other content'
  if (decision.evidenceHash !== plan.evidenceHash) return 'it was given on other evidence'
  if (fix.stage.kind !== 'waiting') return `the plan is past deciding: ${phase}`
  if (decision.action === 'reject') return fix
  if (fix.stage.approval !== null) return `the plan is already approved, by ${fix.stage.approval.by}`
  const mode = rules.byName.get(plan.remediator)?.mode ?? 'observe'
  if (mode !== 'approve') return `${plan.remediator} is in mode ${mode}`
  // Written so that it also holds for NaN.
  if (!(decision.ttlMs > 0)) return 'it has expired'
  return fix
}
