/** Steps of the engine as short words, for tests to line up. */
import type { Finding } from '../../detectors/contract.ts'
import type { Around } from '../../remediators/alone.ts'
import type { Plan } from '../../remediators/contract.ts'
import { type FixInput, step } from '../../remediators/engine.ts'
import type { Decision, Permit, Refusal } from '../../remediators/permits.ts'
import { makePlan } from '../../remediators/plan.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import { type Effect, EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { aroundWith, at, decisionFor, differs, NODE, NONCE, permitFor, rulesFor, sysctl } from './parts.ts'

export const fault = differs()
export const planOf = (finding: Finding): Plan =>
  makePlan(sysctl, finding, sysctl.plan(finding, sysctl.options.parse({}), undefined) ?? [], at(0).wall)
export const plan = planOf(fault)

export const report = (...findings: Finding[]): FixInput => ({ kind: 'report', detector: 'kernel-params', findings })
export const decision = (parts: Partial<Decision> = {}): FixInput => ({
  kind: 'decision',
  decision: decisionFor(plan, parts),
})
export const permit = (parts: Partial<Permit> = {}): FixInput => ({ kind: 'permit', permit: permitFor(plan, parts) })
export const refusal = (parts: Partial<Refusal> = {}): FixInput => ({
  kind: 'refusal',
  refusal: {
    node: NODE,
    planId: plan.id,
    nonce: NONCE,
    guards: [
      { guard: 'pause', allowed: true, why: 'nothing is paused' },
      { guard: 'pool-budget', allowed: false, why: '1 of 1 is disrupted' },
    ],
    retryAfterMs: 60_000,
    ...parts,
  },
})
export const collected: FixInput = { kind: 'collected', planId: plan.id, result: { kind: 'none' } }
export const applied = (result: Extract<FixInput, { kind: 'applied' }>['result']): FixInput => ({
  kind: 'applied',
  planId: plan.id,
  result,
})
export const appliedOk = applied({ kind: 'ok' })
export const appliedStale = applied({ kind: 'stale', why: 'it is 30' })
export const appliedFailed = applied({ kind: 'failed', why: 'EIO' })
export const verified = (...findings: Finding[]): FixInput => ({ kind: 'verified', planId: plan.id, findings })
export const reverted = (failure: string | null = null): FixInput => ({ kind: 'reverted', planId: plan.id, failure })
export const tickWith = (parts: Partial<Around>): FixInput => ({ kind: 'tick', around: aroundWith(parts) })
export const tick = tickWith({})
export const resume: FixInput = { kind: 'resume' }

export type Timed = FixInput | readonly [atMs: number, input: FixInput]

/** The effects of each input as short words, and the state at the end. An input without a time comes at once. */
export function run(inputs: readonly Timed[], rules: Rules = rulesFor(), from: FixState = EMPTY_FIX_STATE) {
  let state = from
  let ms = 0
  const steps = inputs.map((timed) => {
    const [atMs, input] = 'kind' in timed ? [ms, timed] : timed
    ms = atMs
    const result = step(rules, state, at(ms), input)
    state = result.state
    return result.effects
  })
  const effects = steps.map((each) => each.map(inWords))
  const raw: readonly Effect[] = steps.at(-1) ?? []
  const phases = state.fixes.map(({ remediation }) => remediation.phase)
  return { effects, last: effects.at(-1) ?? [], raw, state, phases, ms }
}

function inWords(effect: Effect): string {
  if (effect.kind === 'announce') return `${effect.remediation.phase}: ${effect.remediation.why}`
  return effect.kind === 'refuse' ? `refuse ${effect.what}: ${effect.why}` : effect.kind
}

export const waiting: readonly Timed[] = [report(fault)]
export const approved = [...waiting, decision()]
export const asking = [...approved, tick]
export const permitted = [...asking, permit()]
export const applying = [...permitted, collected]
export const verifying = [...applying, appliedOk]
export const reverting = [...verifying, verified(fault)]
export const revertingFailed = [...applying, appliedFailed]
