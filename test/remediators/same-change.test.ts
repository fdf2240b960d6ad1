/** Two faults that ask for the same changes have one plan between them: which of them it is made for. */
import { describe, expect, it } from 'vitest'
import type { Remediator } from '../../remediators/contract.ts'
import { policyFor, rulesFor, sysctl } from './parts.ts'
import { fault, report, run, tickWith } from './steps.ts'

/** A minute past what these tests begin at. */
const NEVER_NOW = { cron: '1 0 1 1 *', duration: '1m', timeZone: 'UTC' } as const

describe('a change', () => {
  it.each<[string, Parameters<typeof policyFor>[0], readonly string[]]>([
    [
      'is recorded only',
      { mode: 'observe' },
      ['withdrawn: the same change is made for KernelParamDiffers, whose rule goes further'],
    ],
    [
      'waits for a person',
      { mode: 'approve' },
      ['withdrawn: the same change is made for KernelParamDiffers, whose rule goes further'],
    ],
    [
      'waits for its window',
      { windows: [NEVER_NOW] },
      ['withdrawn: the same change is made for KernelParamDiffers, whose rule goes further'],
    ],
    ['goes as far', {}, []],
  ])('has a plan that %s for one fault give way to the same for another, whose rule goes further', (_, parts, gone) => {
    const handling: Remediator = {
      ...sysctl,
      handles: ['KernelParamDiffers', 'Other'],
      plan: (_, options, seen) => sysctl.plan(fault, options, seen),
    }
    const other = { ...fault, reason: 'Other', id: 'other' }
    const policies = [policyFor({ name: 'other', match: [{ reason: 'Other' }], ...parts }), policyFor()]
    const rules = rulesFor({}, policies, [handling])
    const { last } = run([report(other), tickWith({ nonce: undefined }), report(other, fault)], rules)
    const PROPOSED = 'proposed: automatic: it begins once the leader permits it'
    expect(run([report(other)], rules).phases).toHaveLength(1)
    expect(last).toEqual(gone.length === 0 ? [] : ['save', ...gone, PROPOSED])
    expect(run([report(fault), report(fault, other)], rules).last).toEqual([])
  })
})
