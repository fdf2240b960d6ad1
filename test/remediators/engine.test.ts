/** Every transition of a fix, one line each in the tables below. */
import { describe, expect, it } from 'vitest'
import { absent, differs, ok, rulesFor, unknown } from './parts.ts'
import {
  applied,
  appliedFailed,
  appliedOk,
  appliedStale,
  applying,
  decision,
  fault,
  queued,
  report,
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

describe('the way of a fix', () => {
  it.each<[string, readonly Timed[], readonly string[]]>([
    ['fault -> waiting', waiting, ['save', 'awaiting-approval: waiting for approval']],
    ['waiting -> approved', queued, ['save']],
    ['approved -> applying', applying, ['save', 'applying: approved by ada via page', 'apply']],
    ['applying -> verifying', verifying, ['save', 'verifying: applied: looking whether the fault is gone', 'verify']],
    [
      'verifying -> verified',
      [...verifying, verified(ok)],
      ['save', 'verified: kernel-params looked again, and the fault is gone'],
    ],
    ['verifying -> reverting', reverting, ['save', 'revert']],
    [
      'reverting -> reverted',
      [...reverting, reverted()],
      ['save', 'reverted: the fault is still there: vm.swappiness is 60, wanted 10; everything was put back'],
    ],
    [
      'reverting -> revert-failed',
      [...reverting, reverted('EIO')],
      [
        'save',
        'revert-failed: the fault is still there: vm.swappiness is 60, wanted 10; putting it back failed: EIO. ' +
          'By hand: sysctl -w vm.swappiness=60',
      ],
    ],
    ['applying -> refused', [...applying, appliedStale], ['save', 'refused: nothing was changed: it is 30']],
    ['applying -> reverting', revertingFailed, ['save', 'revert']],
    ['reverting -> failed', [...revertingFailed, reverted()], ['save', 'failed: EIO; everything was put back']],
    [
      'waiting -> rejected',
      [...waiting, decision({ action: 'reject', reason: 'not now' })],
      ['save', 'rejected: rejected by ada via page: not now'],
    ],
    [
      'approved -> rejected',
      [...queued, decision({ id: 'p2', action: 'reject' })],
      ['save', 'rejected: rejected by ada via page'],
    ],
    ['waiting -> withdrawn', [...waiting, report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['approved -> withdrawn', [...queued, report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['waiting -> withdrawn, not applicable', [...waiting, report(absent)], ['save', 'withdrawn: the fault is gone']],
    ['verifying -> looks again', [...verifying, verified(unknown), [9_999, tick], [10_000, tick]], ['save', 'verify']],
    [
      'verifying -> reverting, after three looks that could not tell',
      [...verifying, verified(unknown), [10_000, tick], verified(), [20_000, tick], verified(absent)],
      ['save', 'revert'],
    ],
    [
      'approved -> waiting, too late',
      [...queued, [60_001, tick]],
      [
        'save',
        'awaiting-approval: the approval by ada via page was not started in time and is void: waiting for a new one',
      ],
    ],
  ])('%s', (_, inputs, effects) => {
    expect(run(inputs).last).toEqual(effects)
  })

  it.each<[string, readonly Timed[]]>([
    ['nothing to wait for', [tick]],
    ['unknown makes no plan', [report(fault, unknown)]],
    ['unknown takes none back', [...waiting, report(unknown)]],
    ['a fault that is only held is none to mend', [report({ ...fault, held: 'clearing' })]],
    ['an info is no fault to mend', [report({ ...fault, status: 'info' })]],
    ['a finding of another node', [report({ ...fault, node: 'node-8' })]],
    ['a reason that nobody handles', [report({ ...fault, reason: 'Other' })]],
    ['a fault without a plan', [report(differs('kernel.sysrq', '1', '0'))]],
    ['the same fault again', [...waiting, report(fault)]],
    ['another detector that is fine', [...waiting, { kind: 'report', detector: 'conntrack', findings: [ok] }]],
    ['the fault during its fix', [...applying, report(fault)]],
    ['half of the change during its fix', [...applying, report(differs('vm.swappiness', '30', '10'))]],
    ['no fault during its fix', [...applying, report(ok)]],
    ['before a second look is due', [...verifying, verified(unknown), [9_999, tick]]],
    ['a tick while it is applied', [...applying, [1_000_000, tick]]],
    ['a tick while it is verified', [...verifying, [1_000_000, tick]]],
    ['a tick while it is put back', [...reverting, [1_000_000, tick]]],
    ['a result of applying twice', [...verifying, appliedOk]],
    ['a late result of applying', [...verifying, appliedFailed]],
    ['a result of verifying too early', [...applying, verified(ok)]],
    ['a result of verifying between two looks', [...verifying, verified(unknown), verified(ok)]],
    ['a result of putting back that nobody asked for', [...verifying, reverted()]],
    ['a result for a plan that does not exist', [applied({ kind: 'ok' })]],
  ])('does not move: %s', (_, inputs) => {
    expect(run(inputs).last).toEqual([])
  })
})

describe('decisions', () => {
  it.each<[string, readonly Timed[], string]>([
    ['of another node', [...waiting, decision({ node: 'node-8' })], 'it is for node node-8'],
    ['for no plan', [decision()], 'there is no such plan'],
    ['for other content', [...waiting, decision({ planHash: 'x' })], 'it was given for a plan with other content'],
    ['on other evidence', [...waiting, decision({ evidenceHash: 'x' })], 'it was given on other evidence'],
    ['a second time', [...queued, decision()], 'it has been used'],
    ['a second time, as a rejection', [...queued, decision({ action: 'reject' })], 'it has been used'],
    ['a second time, after the fix', [...verifying, verified(ok), decision()], 'it has been used'],
    [
      'for a plan that is approved',
      [...queued, decision({ id: 'p2' })],
      'the plan is already approved, by ada via page',
    ],
    ['for a plan that is applied', [...applying, decision({ id: 'p2' })], 'the plan is past deciding: applying'],
    ['for a plan that is taken back', [...waiting, report(ok), decision()], 'the plan is past deciding: withdrawn'],
    ['that has expired', [...waiting, decision({ ttlMs: 0 })], 'it has expired'],
    ['without an end', [...waiting, decision({ ttlMs: Number.NaN })], 'it has expired'],
  ])('%s are refused', (_, inputs, why) => {
    expect(run(inputs).last).toEqual([`refuse: ${why}`])
  })

  it('leave the plan open to a good one when they do not fit', () => {
    const bad = [
      decision({ planHash: 'x' }),
      decision({ evidenceHash: 'x' }),
      decision({ node: 'x' }),
      decision({ ttlMs: 0 }),
    ]
    expect(run([...waiting, ...bad, decision(), tick]).phases).toEqual(['applying'])
  })

  it('cannot approve a mere suggestion, but can turn it down', () => {
    const suggest = rulesFor({ sysctl: { mode: 'suggest' } })
    expect(run(waiting, suggest).last).toEqual([
      'save',
      'awaiting-approval: a suggestion: this rule is not set to accept approvals',
    ])
    expect(run(queued, suggest).last).toEqual(['refuse: sysctl is in mode suggest'])
    expect(run([...waiting, decision({ action: 'reject' })], suggest).phases).toEqual(['rejected'])
  })

  it('are named in the record that acts on them, and not before', () => {
    const idIn = (inputs: readonly Timed[]) => run(inputs).state.fixes[0]?.remediation.decisionId
    expect(idIn(queued)).toBeUndefined()
    expect(idIn(applying)).toBe('decision-1')
    expect(idIn([...verifying, verified(ok)])).toBe('decision-1')
    expect(idIn([...waiting, decision({ action: 'reject' })])).toBe('decision-1')
  })

  it('are used up by an approval that came to nothing', () => {
    expect(run([...queued, [60_001, tick], decision()]).last).toEqual(['refuse: it has been used'])
    expect(run([...queued, [60_001, tick], decision({ id: 'p2' }), tick]).phases).toEqual(['applying'])
  })

  it('may wait their turn until they expire, and not a moment longer', () => {
    expect(run([...queued, [60_000, tick]]).phases).toEqual(['applying'])
    expect(run([...queued, [60_001, tick]]).phases).toEqual(['awaiting-approval'])
  })
})
