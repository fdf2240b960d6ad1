/** Steps of the engine as short words, for tests to line up. */
import type { Finding } from '../../detectors/contract.ts'
import type { Plan } from '../../remediators/contract.ts'
import { type FixInput, step } from '../../remediators/engine.ts'
import type { Decision } from '../../remediators/permits.ts'
import { makePlan } from '../../remediators/plan.ts'
import type { Rules } from '../../remediators/settings.ts'
import { EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { at, decisionFor, differs, rulesFor } from './parts.ts'

export const fault = differs()
export const planOf = (finding: Finding): Plan =>
  makePlan(sysctl, finding, sysctl.plan(finding, sysctl.options.parse({}), undefined) ?? [], at(0).wall)
export const plan = planOf(fault)

export const report = (...findings: Finding[]): FixInput => ({ kind: 'report', detector: 'kernel-params', findings })
export const decision = (parts: Partial<Decision> = {}): FixInput => ({
  kind: 'decision',
  decision: decisionFor(plan, parts),
})
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
export const tick: FixInput = { kind: 'tick' }
export const resume: FixInput = { kind: 'resume' }

export type Timed = FixInput | readonly [atMs: number, input: FixInput]

/** The effects of each input as short words, and the state at the end. An input without a time comes at once. */
export function run(inputs: readonly Timed[], rules: Rules = rulesFor(), from: FixState = EMPTY_FIX_STATE) {
  let state = from
  let ms = 0
  const effects = inputs.map((timed) => {
    const [atMs, input] = 'kind' in timed ? [ms, timed] : timed
    ms = atMs
    const result = step(rules, state, at(ms), input)
    state = result.state
    return result.effects.map((effect) => {
      if (effect.kind === 'announce') return `${effect.remediation.phase}: ${effect.remediation.why}`
      if (effect.kind === 'refuse') return `refuse: ${effect.why}`
      return effect.kind
    })
  })
  return { effects, last: effects.at(-1) ?? [], state, phases: state.fixes.map(({ remediation }) => remediation.phase) }
}

export const waiting: readonly Timed[] = [report(fault)]
export const queued = [...waiting, decision()]
export const applying = [...queued, tick]
export const verifying = [...applying, appliedOk]
export const reverting = [...verifying, verified(fault)]
export const revertingFailed = [...applying, appliedFailed]
