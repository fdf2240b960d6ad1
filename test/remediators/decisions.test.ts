/** Whatever happens in whatever order: no decision acts twice, and nothing is done without one that fits. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import type { Plan } from '../../remediators/contract.ts'
import { type FixInput, step } from '../../remediators/engine.ts'
import type { Decision } from '../../remediators/permits.ts'
import { makePlan } from '../../remediators/plan.ts'
import { activeFix, EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { absent, at, decisionFor, differs, ok, rulesFor, unknown } from './parts.ts'

const faults = [differs(), differs('vm.dirty_ratio', '20', '15'), differs('vm.swappiness', '30', '10')]
const plans: readonly Plan[] = faults.map((fault) =>
  makePlan(sysctl, fault, sysctl.plan(fault, sysctl.options.parse({}), undefined) ?? [], at(0).wall),
)
/** Often enough the faults last, or nothing would ever be approved. */
const findings = fc.oneof(
  { weight: 3, arbitrary: fc.constant<readonly Finding[]>(faults) },
  { weight: 1, arbitrary: fc.subarray<Finding>([...faults, ok, unknown, absent]) },
)
/** `active` stands for the plan that is being carried out just then. */
const planId = fc.constantFrom('active', 'active', 'active', ...plans.map(({ id }) => id))

const decision: fc.Arbitrary<Decision> = fc
  .record({
    plan: fc.constantFrom(...plans),
    id: fc.constantFrom(...Array.from({ length: 10 }, (_, index) => `p${index}`)),
    action: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
    ttlMs: fc.constantFrom(0, 5_000, 1_000_000),
    forged: fc.constantFrom({}, {}, {}, { planHash: 'x' }, { evidenceHash: 'x' }, { node: 'node-8' }),
  })
  .map(({ plan, id, action, ttlMs, forged }) => decisionFor(plan, { id, action, ttlMs, ...forged }))

const input: fc.Arbitrary<FixInput | 'restart'> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('report' as const), detector: fc.constant('kernel-params'), findings }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('decision' as const), decision }) },
  { weight: 4, arbitrary: fc.constant<FixInput>({ kind: 'tick' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('applied' as const),
      planId,
      result: fc.constantFrom(
        { kind: 'ok' as const },
        { kind: 'stale' as const, why: '' },
        { kind: 'failed' as const, why: '' },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('verified' as const), planId, findings }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('reverted' as const), planId, failure: fc.constantFrom(null, 'EIO') }),
  },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
)

function aimed(input: FixInput, state: FixState): FixInput {
  if (!('planId' in input) || input.planId !== 'active') return input
  return { ...input, planId: activeFix(state)?.remediation.plan.id ?? 'none' }
}

/** Replays `inputs`, some time apart, and returns how often something was applied. */
function applications(inputs: readonly [waitMs: number, input: FixInput | 'restart'][]): number {
  // Short, so that the same plan comes up again and again.
  const rules = { ...rulesFor(), coolDownMs: 20_000 }
  let state: FixState = EMPTY_FIX_STATE
  let ms = 0
  let applications = 0
  const good = new Map<string, Decision>()
  const acted = new Set<string>()
  for (const [waitMs, given] of inputs) {
    ms += waitMs
    if (given === 'restart') {
      state = decodeFixState(encodeFixState(state))
      ms = 0
    }
    const before = state
    const taken: FixInput = given === 'restart' ? { kind: 'resume' } : aimed(given, before)
    const { state: next, effects } = step(rules, before, at(ms), taken)
    state = next
    if (taken.kind === 'decision' && !effects.some(({ kind }) => kind === 'refuse'))
      good.set(taken.decision.id, taken.decision)
    for (const effect of effects) {
      if (effect.kind !== 'apply') continue
      applications++
      expect(activeFix(before)).toBeUndefined()
      const decisionId = activeFix(state)?.remediation.decisionId ?? ''
      expect(acted.has(decisionId)).toBe(false)
      acted.add(decisionId)
      const used = good.get(decisionId)
      const { id, planHash, evidenceHash, node } = effect.plan
      expect(used).toMatchObject({ action: 'approve', planId: id, planHash, node })
      expect(used?.evidenceHash).toBe(evidenceHash)
      expect(state.usedDecisions).toContain(decisionId)
    }
    // Plain data, and valid at any time.
    expect(decodeFixState(encodeFixState(state))).toEqual(state)
    const active = state.fixes.filter(({ stage }) => !['waiting', 'ended'].includes(stage.kind))
    expect(active.length).toBeLessThanOrEqual(1)
  }
  return applications
}

describe('decisions, in any order of events', () => {
  it('act once at most, and nothing is applied without one', () => {
    let total = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(20_000), input), { minLength: 10, maxLength: 60, size: 'max' }),
        (inputs) => {
          total += applications(inputs)
        },
      ),
      { numRuns: 300 },
    )
    // The property would hold as well if nothing ever happened.
    expect(total).toBeGreaterThan(20)
  })
})
