/** Several plans at a time, plans that come again, and plans that outlive the process. */
import { describe, expect, it } from 'vitest'
import type { FixInput } from '../../remediators/engine.ts'
import { hashPlan } from '../../remediators/plan.ts'
import type { FixState } from '../../remediators/state.ts'
import { COOL_DOWN_MS, decisionFor, differs, NODE, ok, rulesFor, unknown } from './parts.ts'
import {
  appliedStale,
  applying,
  decision,
  fault,
  plan,
  planOf,
  queued,
  report,
  resume,
  reverted,
  reverting,
  revertingFailed,
  run,
  type Timed,
  tick,
  verified,
  verifying,
  waiting,
} from './steps.ts'

describe('several plans', () => {
  const second = differs('vm.dirty_ratio', '20', '15')
  const decideSecond: FixInput = { kind: 'decision', decision: decisionFor(planOf(second), { id: 'p2' }) }
  const both = [report(fault, second), [1, decideSecond], [2, decision()]] as const

  it('are carried out one at a time, in the order of approval', () => {
    const { state } = run([...both, tick, tick])
    expect(state.fixes.map(({ remediation }) => `${remediation.plan.cause} ${remediation.phase}`).toSorted()).toEqual([
      'vm.dirty_ratio applying',
      'vm.swappiness awaiting-approval',
    ])
    const stale: FixInput = { kind: 'applied', planId: planOf(second).id, result: { kind: 'stale', why: '' } }
    expect(run([...both, tick, stale, tick]).phases).toEqual(['refused', 'applying'])
  })

  it('are withdrawn each by itself', () => {
    const { state } = run([report(fault, second), report(second)])
    expect(state.fixes.map(({ remediation }) => `${remediation.plan.cause} ${remediation.phase}`)).toEqual([
      'vm.dirty_ratio awaiting-approval',
      'vm.swappiness withdrawn',
    ])
  })

  it('replace each other when the host or the settings change', () => {
    expect(run([...waiting, report(differs('vm.swappiness', '30', '10'))]).last).toEqual([
      'save',
      'withdrawn: the host or the settings changed, and the plan no longer fits',
      'awaiting-approval: waiting for approval',
    ])
    const { state } = run(waiting)
    const observe = rulesFor({ sysctl: { mode: 'observe' } })
    expect(run([report(fault)], observe, state).phases).toEqual(['withdrawn'])
    expect(run(waiting, observe).last).toEqual([])
  })

  it('are bounded: those that wait, those that ended, and the decisions that were used', () => {
    const many = Array.from({ length: 80 }, (_, index) => differs(`vm.x${index}`, '0', '1'))
    expect(run([report(...many)]).state.fixes).toHaveLength(50)
    const flapping = Array.from({ length: 300 }, (_, index) => [
      report(differs('vm.x', `${index}`, 'a')),
      report(ok),
    ]).flat()
    const ended = run(flapping).state.fixes
    expect(ended).toHaveLength(100)
    expect(ended.at(-1)?.remediation.plan.changes[0]?.before).toBe('299')
    const rejections = Array.from({ length: 1_100 }, (_, index): Timed[] => [
      [index * COOL_DOWN_MS, report(fault)],
      decision({ id: `p${index}`, action: 'reject' }),
    ]).flat()
    const used = run(rejections).state.usedDecisions
    expect(used).toHaveLength(1_000)
    expect(used.at(-1)).toBe('p1099')
  })
})

describe('cool-down', () => {
  const ends: [string, readonly Timed[]][] = [
    ['reverted', [...reverting, reverted()]],
    ['revert-failed', [...reverting, reverted('EIO')]],
    ['failed', [...revertingFailed, reverted()]],
    ['refused', [...applying, appliedStale]],
    ['rejected', [...waiting, decision({ action: 'reject' })]],
  ]
  it.each(ends)('keeps the same plan from being made again after it was %s', (phase, inputs) => {
    expect(run([...inputs, [COOL_DOWN_MS - 1, report(fault)]]).phases).toEqual([phase])
    expect(run([...inputs, [COOL_DOWN_MS, report(fault)]]).phases).toEqual(['awaiting-approval'])
    const other = differs('vm.swappiness', '30', '10')
    expect(run([...inputs, report(other)]).phases).toEqual([phase, 'awaiting-approval'])
  })

  it('is not for a fault that came back after it was mended or gone by itself', () => {
    expect(run([...verifying, verified(ok), report(fault)]).phases).toEqual(['awaiting-approval'])
    expect(run([...waiting, report(ok), report(fault)]).phases).toEqual(['awaiting-approval'])
  })
})

describe('after a restart', () => {
  const resumed = (inputs: readonly Timed[]) => {
    const onDisk = JSON.parse(JSON.stringify(run(inputs).state)) as FixState
    // The clock of the new process has begun at zero again.
    return run([resume], rulesFor(), onDisk)
  }

  it.each<[string, readonly Timed[], readonly string[]]>([
    ['nothing', [], ['save']],
    ['a plan that waits', waiting, ['save', 'awaiting-approval: waiting for approval']],
    [
      'an approval that was not started: it is void',
      queued,
      [
        'save',
        'awaiting-approval: the approval by ada via page was not started before the agent restarted and is void: waiting for a new one',
      ],
    ],
    [
      'a fix that may or may not have been applied: look, never apply again',
      applying,
      ['save', 'verifying: the agent restarted during the fix: looking whether the fault is gone', 'verify'],
    ],
    [
      'a fix that was not verified',
      verifying,
      ['save', 'verifying: the agent restarted during the fix: looking whether the fault is gone', 'verify'],
    ],
    [
      'a fix that may or may not have been put back: put it back',
      reverting,
      ['save', 'verifying: applied: looking whether the fault is gone', 'revert'],
    ],
    [
      'a fix that ended last',
      [...verifying, verified(ok)],
      ['save', 'verified: kernel-params looked again, and the fault is gone'],
    ],
    [
      'a fix that ended long ago',
      [...verifying, verified(ok), [1, report(differs('vm.dirty_ratio', '20', '15'))]],
      ['save', 'awaiting-approval: waiting for approval'],
    ],
  ])('finds %s', (_, inputs, effects) => {
    expect(resumed(inputs).last).toEqual(effects)
  })

  it('verifies or reverts what it found', () => {
    const from = resumed(applying).state
    expect(run([verified(ok)], rulesFor(), from).phases).toEqual(['verified'])
    expect(run([verified(fault), reverted()], rulesFor(), from).phases).toEqual(['reverted'])
  })

  it('still knows the decisions that were used', () => {
    expect(run([decision()], rulesFor(), resumed(queued).state).last).toEqual(['refuse: it has been used'])
  })

  it('starts cool-downs anew, since the old clock is gone', () => {
    const { state } = resumed([[5_000_000, report(fault)], decision({ action: 'reject' })])
    expect(run([[COOL_DOWN_MS - 1, report(fault)]], rulesFor(), state).phases).toEqual(['rejected'])
    expect(run([[COOL_DOWN_MS, report(fault)]], rulesFor(), state).phases).toEqual(['awaiting-approval'])
  })
})

describe('verification', () => {
  it('asks for the same cause, in whatever severity', () => {
    expect(run([...verifying, verified(differs('vm.dirty_ratio', '20', '15'))]).phases).toEqual(['verified'])
    expect(run([...verifying, verified({ ...fault, status: 'info' })]).last).toEqual(['save', 'revert'])
    expect(run([...verifying, verified(differs('vm.swappiness', '99', '10'))]).last).toEqual(['save', 'revert'])
  })

  it('trusts no report with an unknown in it', () => {
    expect(run([...verifying, verified(ok, unknown)]).phases).toEqual(['verifying'])
    expect(run([...verifying, verified()]).phases).toEqual(['verifying'])
  })
})

describe('a step', () => {
  it('saves first whenever anything changed, and only then', () => {
    for (const inputs of [waiting, queued, applying, verifying, reverting, [...reverting, reverted()]]) {
      expect(run(inputs).effects.map((words) => words.indexOf('save'))).toEqual(inputs.map(() => 0))
    }
    expect(run([...waiting, decision({ planHash: 'x' })]).last).not.toContain('save')
  })

  it('keeps the plan as the person saw it while only figures change', () => {
    const drifted = { ...fault, evidence: [...fault.evidence, { name: 'uptime', value: 5, unit: 's' }] }
    const { state } = run([...waiting, report(drifted)])
    expect(state.fixes[0]?.remediation.plan).toEqual(plan)
    expect(hashPlan(plan)).toBe(plan.planHash)
    expect(plan.node).toBe(NODE)
  })
})
