/** From a detector's report to plans that wait for a decision, and back when the fault is gone. Pure. */
import type { Moment } from '../common/moment.ts'
import type { Finding, FindingStatus } from '../detectors/contract.ts'
import type { Plan } from './contract.ts'
import { makePlan } from './plan.ts'
import type { Rule, Rules } from './settings.ts'
import { activeFix, type Effect, enterPhase, type FixState, findFix, type StepResult } from './state.ts'

/** More would be read by nobody; what is left out is proposed when others are decided. */
const WAITING_MAX = 50
const FAULTS: ReadonlySet<FindingStatus> = new Set(['warn', 'alarm', 'error'])

/** `findings` is everything that `detector` says about this node now. */
export function onReport(
  rules: Rules,
  state: FixState,
  now: Moment,
  detector: string,
  findings: readonly Finding[],
): StepResult {
  // The detector could not look: no reason to propose anything, and none to take anything back.
  if (findings.some(({ status }) => status === 'unknown')) return { state, effects: [] }
  const faults = findings.filter(
    ({ node, status, held }) => node === rules.node && FAULTS.has(status) && held === undefined,
  )
  const plans = faults.flatMap((fault) => plansFor(rules, fault, now))
  const withdrawn = withdraw(state, now, detector, plans, faults)
  const proposed = propose(rules, withdrawn.state, now, plans)
  return { state: proposed.state, effects: [...withdrawn.effects, ...proposed.effects] }
}

function plansFor(rules: Rules, finding: Finding, now: Moment): readonly Plan[] {
  return [...rules.byName.values()].flatMap((rule) => {
    if (rule.mode === 'observe' || !rule.remediator.handles.includes(finding.reason)) return []
    const changes = rule.remediator.plan(finding, rule.options, undefined)
    return changes === null || changes.length === 0 ? [] : [makePlan(rule.remediator, finding, changes, now.wall)]
  })
}

function withdraw(
  before: FixState,
  now: Moment,
  detector: string,
  plans: readonly Plan[],
  faults: readonly Finding[],
): StepResult {
  let state = before
  const effects: Effect[] = []
  for (const fix of before.fixes) {
    const { plan } = fix.remediation
    if (fix.stage.kind !== 'waiting' || plan.detector !== detector) continue
    if (plans.some(({ id }) => id === plan.id)) continue
    const lasts = faults.some(({ reason, cause }) => reason === plan.reason && cause === plan.cause)
    const why = lasts ? 'the host or the settings changed, and the plan no longer fits' : 'the fault is gone'
    const entered = enterPhase(state, fix, now, 'withdrawn', why, { kind: 'ended', atMs: now.ms })
    state = entered.state
    effects.push(entered.announce)
  }
  return { state, effects }
}

function propose(rules: Rules, before: FixState, now: Moment, plans: readonly Plan[]): StepResult {
  let state = before
  const effects: Effect[] = []
  for (const plan of plans) {
    const rule = rules.byName.get(plan.remediator)
    if (rule === undefined || !mayPropose(rules, state, now, plan)) continue
    const remediation = { plan, phase: 'awaiting-approval' as const, why: whyWaiting(rule), at: now.wall }
    const fix = { remediation, stage: { kind: 'waiting' as const, approval: null } }
    const entered = enterPhase(state, fix, now, remediation.phase, remediation.why, fix.stage)
    state = entered.state
    effects.push(entered.announce)
  }
  return { state, effects }
}

function mayPropose(rules: Rules, state: FixState, now: Moment, plan: Plan): boolean {
  const working = activeFix(state)?.remediation.plan
  // Half done, the host looks different from before and after: a plan made of that would be of no use.
  if (working?.detector === plan.detector && working.reason === plan.reason && working.cause === plan.cause)
    return false
  const known = findFix(state, plan.id)
  if (known === undefined) {
    return state.fixes.filter(({ stage }) => stage.kind === 'waiting').length < WAITING_MAX
  }
  if (known.stage.kind !== 'ended') return false
  const { phase } = known.remediation
  // Not turned down and not failed: the fault simply came back.
  if (phase === 'verified' || phase === 'withdrawn') return true
  return now.ms - known.stage.atMs >= rules.coolDownMs
}

function whyWaiting({ mode }: Rule): string {
  return mode === 'suggest' ? 'a suggestion: this rule is not set to accept approvals' : 'waiting for approval'
}
