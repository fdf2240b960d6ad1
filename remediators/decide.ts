/** A permit has arrived: is it for this very plan, is it in time, is it new? Pure. */
import type { Moment } from '../common/moment.ts'
import type { Permit } from './contract.ts'
import type { Rules } from './settings.ts'
import { enterPhase, type Fix, type FixState, findFix, type StepResult, setStage, usePermit } from './state.ts'

/**
 * Records an approval, to be started when its turn comes, or ends the plan on a rejection. A permit that does not fit is
 * refused and changes nothing: the plan stays open to one that does.
 */
export function onPermit(rules: Rules, state: FixState, now: Moment, permit: Permit): StepResult {
  const checked = check(rules, state, permit)
  if (typeof checked === 'string') {
    return { state, effects: [{ kind: 'refuse', permitId: permit.id, planId: permit.planId, why: checked }] }
  }
  const used = usePermit(state, permit.id)
  const who = `${permit.by} via ${permit.via}`
  if (permit.action === 'reject') {
    const why = `rejected by ${who}${permit.reason === '' ? '' : `: ${permit.reason}`}`
    const entered = enterPhase(used, checked, now, 'rejected', why, { kind: 'ended', atMs: now.ms }, permit.id)
    return { state: entered.state, effects: [entered.announce] }
  }
  const approval = { permitId: permit.id, by: who, receivedMs: now.ms, ttlMs: permit.ttlMs }
  return { state: setStage(used, checked, { kind: 'waiting', approval }), effects: [] }
}

/** The fix that `permit` decides on, or why it decides on none. */
function check(rules: Rules, state: FixState, permit: Permit): Fix | string {
  if (permit.node !== rules.node) return `it is for node ${permit.node}`
  if (state.usedPermits.includes(permit.id)) return 'it has been used'
  const fix = findFix(state, permit.planId)
  if (fix === undefined) return 'there is no such plan'
  const { plan, phase } = fix.remediation
  if (permit.planHash !== plan.planHash) return 'it was given for a plan with other content'
  if (permit.evidenceHash !== plan.evidenceHash) return 'it was given on other evidence'
  if (fix.stage.kind !== 'waiting') return `the plan is past deciding: ${phase}`
  if (permit.action === 'reject') return fix
  if (fix.stage.approval !== null) return `the plan is already approved, by ${fix.stage.approval.by}`
  const mode = rules.byName.get(plan.remediator)?.mode ?? 'observe'
  if (mode !== 'approve') return `${plan.remediator} is in mode ${mode}`
  // Written so that it also holds for NaN.
  if (!(permit.ttlMs > 0)) return 'it has expired'
  return fix
}
