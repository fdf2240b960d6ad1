/** What neighbours tell one another of their faults, and when a node that is cut off begins by itself. */
import { describe, expect, it } from 'vitest'
import type { FindingStatus } from '../../detectors/contract.ts'
import { type Around, whetherAlone } from '../../remediators/alone.ts'
import { countFaults, faultsOf, REASONS_MAX } from '../../remediators/neighbours.ts'
import { onReport } from '../../remediators/propose.ts'
import { EMPTY_FIX_STATE, type Fix, type Waiting } from '../../remediators/state.ts'
import { aroundWith, at, autoRules, differs } from './parts.ts'

const said = (status: FindingStatus, reason: string) => ({ status, reason })

describe('what is told', () => {
  it('are the faults that stand, each once, the gravest first, then by name', () => {
    const findings = [
      said('ok', 'Ok'),
      said('info', 'Noted'),
      said('unknown', 'ProbeFailed'),
      said('warn', 'Late'),
      said('warn', 'Both'),
      said('alarm', 'Bad'),
      said('error', 'Both'),
      said('alarm', 'Awful'),
    ]
    expect(faultsOf(findings)).toEqual(['Both', 'Awful', 'Bad', 'Late'])
    expect(faultsOf(findings.toReversed())).toEqual(faultsOf(findings))
  })

  it('is bounded, in number and in length', () => {
    const many = Array.from({ length: 100 }, (_, index) => said('warn', `Reason${index}`))
    const told = faultsOf([...many, said('alarm', 'Grave'), said('error', 'A'.repeat(65))])
    expect([told.length, told[0]]).toEqual([REASONS_MAX, 'Grave'])
  })
})

describe('what is taken from it', () => {
  it('is nothing before three neighbours were heard', () => {
    expect(countFaults([])).toBeUndefined()
    expect(countFaults([['A'], []])).toBeUndefined()
    expect(countFaults([[], [], []])).toEqual(new Map())
  })

  it('is how many of them have each', () => {
    const heard = [['A', 'B'], ['A', 'A'], [], ['B']]
    expect(countFaults(heard)).toEqual(new Map(Object.entries({ A: 2, B: 2 })))
  })
})

describe('a node that is cut off', () => {
  const REASON = 'KernelParamDiffers'
  const rules = autoRules()
  const { state } = onReport(rules, EMPTY_FIX_STATE, at(0), 'kernel-params', [differs()])
  const [fix] = state.fixes as readonly (Fix & { readonly stage: Waiting })[]
  const alone = (heard: readonly (readonly string[])[], parts: Partial<Waiting> = {}, around: Partial<Around> = {}) => {
    if (fix === undefined) throw new Error('nothing was proposed')
    const stage: Waiting = { ...fix.stage, unanswered: 3, ...parts }
    return whetherAlone(
      rules,
      { ...fix, stage },
      at(1_000),
      aroundWith({ isLed: false, neighbours: countFaults(heard), ...around }),
    )
  }
  const [HAS, HAS_NOT] = [[REASON], ['Other']]

  it('waits for a time by chance, and then begins', () => {
    expect(alone([HAS_NOT, HAS_NOT, HAS_NOT])).toBe(301_000)
    expect(alone([HAS_NOT, HAS_NOT, HAS_NOT], { aloneAtMs: 1_000 })).toBe('begin')
  })

  it('begins also when two neighbours have the same, and not when three have', () => {
    expect(alone([HAS, HAS, HAS_NOT], { aloneAtMs: 1_000 })).toBe('begin')
    expect(alone([HAS, HAS, HAS, HAS_NOT], { aloneAtMs: 1_000 })).toBeNull()
  })

  it.each([
    { when: 'nobody knows of three neighbours', heard: [HAS_NOT, HAS_NOT] },
    { when: 'it was answered lately', parts: { unanswered: 2 } },
    { when: 'a leader was heard', around: { isLed: true } },
  ])('does not begin when $when', ({ heard = [[], [], []], parts = {}, around = {} }) => {
    expect(alone(heard, { aloneAtMs: 0, ...parts }, around)).toBeNull()
  })
})
