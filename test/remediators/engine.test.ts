/** Every transition of a fix that waits for a person, one line each in the tables below. */
import { describe, expect, it } from 'vitest'
import { absent, aroundWith, differs, ok, rulesFor, unknown } from './parts.ts'
import {
  applied,
  appliedFailed,
  appliedOk,
  appliedStale,
  applying,
  approved,
  asking,
  collected,
  decision,
  fault,
  permit,
  permitted,
  plan,
  refusal,
  report,
  reverted,
  reverting,
  revertingFailed,
  run,
  type Timed,
  tick,
  tickWith,
  verified,
  verifying,
  waiting,
} from './steps.ts'

const LEFT = 'the fault is still there: vm.swappiness is 60, wanted 10'
const LATE = 'it must begin within 30 s after it was asked for'

describe('the way of a fix', () => {
  it.each<[string, readonly Timed[], readonly string[]]>([
    ['fault -> awaiting-approval', waiting, ['save', 'awaiting-approval: waiting for approval']],
    [
      'awaiting-approval -> proposed',
      approved,
      ['save', 'proposed: approved by ada via page: it begins once the leader permits it'],
    ],
    ['proposed -> asks the leader', asking, ['save', 'ask']],
    ['asks -> permitted', permitted, ['save', 'permitted: the leader permits it', 'collect']],
    ['permitted -> applying', applying, ['save', 'applying: approved by ada via page; the leader permits it', 'apply']],
    [
      'permitted -> applying, with diagnostics',
      [...permitted, { kind: 'collected', planId: plan.id, result: { kind: 'collected', where: '/var/x' } }],
      ['save', 'applying: approved by ada via page; the leader permits it; diagnostics: /var/x', 'apply'],
    ],
    [
      'permitted -> applying, without the diagnostics that failed',
      [...permitted, { kind: 'collected', planId: plan.id, result: { kind: 'failed', why: 'ENOSPC' } }],
      [
        'save',
        'applying: approved by ada via page; the leader permits it; diagnostics could not be collected: ENOSPC',
        'apply',
      ],
    ],
    [
      'permitted -> proposed, too late',
      [...permitted, [30_001, collected]],
      ['save', `proposed: nothing was begun: ${LATE}`],
    ],
    [
      'permitted -> proposed, no word of it',
      [...permitted, [30_001, tick]],
      ['save', 'proposed: nothing was begun: it was not begun in time'],
    ],
    ['applying -> verifying', verifying, ['save', 'verifying: applied: looking whether the fault is gone', 'verify']],
    [
      'verifying -> verified',
      [...verifying, verified(ok)],
      ['save', 'verified: kernel-params looked again, and the fault is gone'],
    ],
    ['verifying -> no-effect', reverting, ['save', `no-effect: ${LEFT}`, 'revert']],
    ['no-effect -> reverted', [...reverting, reverted()], ['save', `reverted: ${LEFT}; everything was put back`]],
    [
      'no-effect -> revert-failed -> escalated',
      [...reverting, reverted('EIO')],
      [
        'save',
        `revert-failed: ${LEFT}; putting it back failed: EIO. By hand: sysctl -w vm.swappiness=60`,
        `escalated: nothing more is tried, a person is needed: ${LEFT}; putting it back failed: EIO. By hand: sysctl -w vm.swappiness=60`,
      ],
    ],
    ['applying -> refused', [...applying, appliedStale], ['save', 'refused: nothing was changed: it is 30']],
    ['applying -> failed', revertingFailed, ['save', 'failed: EIO', 'revert']],
    ['failed -> reverted', [...revertingFailed, reverted()], ['save', 'reverted: EIO; everything was put back']],
    [
      'applying -> proposed, too late for the hands',
      [...applying, applied({ kind: 'not-begun', why: LATE })],
      ['save', `proposed: nothing was begun: ${LATE}`],
    ],
    [
      'asks -> refused by guards',
      [...asking, refusal()],
      ['save', 'refused: refused by pool-budget: 1 of 1 is disrupted'],
    ],
    ['refused -> asks again', [...asking, refusal(), [60_000, tick]], ['save', 'ask']],
    ['asks -> no answer', [...asking, [30_001, tick]], ['save']],
    ['no answer -> asks again', [...asking, [30_001, tick], [45_001, tick]], ['save', 'ask']],
    [
      'awaiting-approval -> rejected',
      [...waiting, decision({ action: 'reject', reason: 'not now' })],
      ['save', 'rejected: rejected by ada via page: not now'],
    ],
    [
      'proposed -> rejected',
      [...approved, decision({ id: 'd2', action: 'reject' })],
      ['save', 'rejected: rejected by ada via page'],
    ],
    [
      'asks -> rejected',
      [...asking, decision({ id: 'd2', action: 'reject' })],
      ['save', 'rejected: rejected by ada via page'],
    ],
    ['awaiting-approval -> withdrawn', [...waiting, report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['proposed -> withdrawn', [...approved, report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['asks -> withdrawn', [...asking, report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['permitted -> withdrawn', [...permitted, report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['refused -> withdrawn', [...asking, refusal(), report(ok)], ['save', 'withdrawn: the fault is gone']],
    ['not applicable any more -> withdrawn', [...waiting, report(absent)], ['save', 'withdrawn: the fault is gone']],
    [
      'applying -> looks, when nobody knows how far it got',
      [...applying, applied({ kind: 'unclear', why: 'the fixer gave no answer' })],
      ['save', 'verifying: the fixer gave no answer: looking whether the fault is gone', 'verify'],
    ],
    ['applying, and the fault is gone -> kept in mind', [...applying, report(ok)], ['save']],
    ['verifying -> looks again', [...verifying, verified(unknown), [9_999, tick], [10_000, tick]], ['save', 'verify']],
    [
      'verifying -> no-effect, after three looks that could not tell',
      [...verifying, verified(unknown), [10_000, tick], verified(), [20_000, tick], verified(absent)],
      ['save', 'no-effect: it cannot be verified: nothing to report', 'revert'],
    ],
    [
      'proposed -> awaiting-approval, too late',
      [...approved, [60_001, { kind: 'reconfigured' }], tick],
      [
        'save',
        'awaiting-approval: the approval by ada via page was not used in time and is void: waiting for a new one',
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
    ['the same fault while it asks', [...asking, report(fault)]],
    ['the same fault while it is permitted', [...permitted, report(fault)]],
    ['another detector that is fine', [...waiting, { kind: 'report', detector: 'conntrack', findings: [ok] }]],
    ['nobody approved', [...waiting, tick]],
    ['the fault during its fix', [...applying, report(fault)]],
    ['half of the change during its fix', [...applying, report(differs('vm.swappiness', '30', '10'))]],
    ['a tick while it asks', [...asking, [30_000, tick]]],
    ['before it may ask again', [...asking, refusal(), [59_999, tick]]],
    ['a tick while diagnostics are collected', [...permitted, [30_000, tick]]],
    ['diagnostics twice', [...applying, collected]],
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

  it('asks with the nonce of that moment for the plan as it was approved', () => {
    const { planHash, evidenceHash } = plan
    const { nonce } = aroundWith()
    const asked = {
      node: 'node-7',
      planId: plan.id,
      planHash,
      evidenceHash,
      nonce,
      mode: 'approve',
      decisionId: 'decision-1',
    }
    expect(run(asking).raw).toContainEqual({ kind: 'ask', request: asked })
  })

  it('asks nobody without a nonce', () => {
    expect(run([...approved, tickWith({ nonce: undefined })]).last).toEqual([])
  })

  it('says once that nothing can be carried out here, and asks as soon as it can', () => {
    const handless = tickWith({ nonce: undefined, handless: 'no fixer on this node' })
    const refused = run([...approved, handless])
    expect(refused.state.fixes[0]?.remediation).toMatchObject({ phase: 'refused', why: 'no fixer on this node' })
    expect(refused.state.fixes[0]?.remediation.ended).toBeUndefined()
    expect(refused.raw.filter(({ kind }) => kind === 'ask')).toEqual([])
    const announced = (more: readonly Timed[]) =>
      run([...approved, handless, ...more]).raw.filter(({ kind }) => kind === 'announce').length
    expect([announced([]), announced([[60_000, handless]])]).toEqual([1, 0])
    expect(run([...approved, handless, [60_000, tick]]).raw).toContainEqual(expect.objectContaining({ kind: 'ask' }))
  })

  it('names the guards that said no, and only while they do', () => {
    const guards = [{ guard: 'pool-budget', allowed: false, why: '1 of 1 is disrupted' }]
    const refused = run([...asking, refusal()]).state.fixes[0]?.remediation
    expect(refused).toMatchObject({
      phase: 'refused',
      guards,
      policy: 'remediators.sysctl',
      mode: 'approve',
      rung: 1,
      attempt: 1,
    })
    expect(refused?.ended).toBeUndefined()
    expect(run([...asking, refusal(), [60_000, tick], permit()]).state.fixes[0]?.remediation).not.toHaveProperty(
      'guards',
    )
  })

  it('ends where nothing more is done, and says so', () => {
    const endedAfter = (inputs: readonly Timed[]) => run(inputs).state.fixes[0]?.remediation.ended
    for (const inputs of [waiting, approved, permitted, applying, verifying, reverting, revertingFailed]) {
      expect(endedAfter(inputs)).toBeUndefined()
    }
    const ends = [verified(ok), verified(fault), verified(absent)]
    expect(ends.map((end) => endedAfter([...verifying, end]))).toEqual([true, undefined, undefined])
    expect(endedAfter([...reverting, reverted()])).toBe(true)
    expect(endedAfter([...applying, appliedStale])).toBe(true)
    expect(endedAfter([...waiting, report(ok)])).toBe(true)
  })
})

describe('decisions', () => {
  it.each<[string, readonly Timed[], string]>([
    ['of another node', [...waiting, decision({ node: 'node-8' })], 'it is for node node-8'],
    ['for no plan', [decision()], 'there is no such plan'],
    ['for other content', [...waiting, decision({ planHash: 'x' })], 'it was given for a plan with other content'],
    ['on other evidence', [...waiting, decision({ evidenceHash: 'x' })], 'it was given on other evidence'],
    ['a second time', [...approved, decision()], 'it has been used'],
    ['a second time, as a rejection', [...approved, decision({ action: 'reject' })], 'it has been used'],
    ['a second time, after the fix', [...verifying, verified(ok), decision()], 'it has been used'],
    [
      'for a plan that is approved',
      [...approved, decision({ id: 'd2' })],
      'the plan is already approved, by ada via page',
    ],
    ['for a plan that is permitted', [...permitted, decision({ id: 'd2' })], 'the plan is past deciding: permitted'],
    ['for a plan that is applied', [...applying, decision({ id: 'd2' })], 'the plan is past deciding: applying'],
    ['for a plan that is taken back', [...waiting, report(ok), decision()], 'the plan is past deciding: withdrawn'],
    ['that has expired', [...waiting, decision({ ttlMs: 0 })], 'it has expired'],
    ['without an end', [...waiting, decision({ ttlMs: Number.NaN })], 'it has expired'],
  ])('%s are refused', (_, inputs, why) => {
    expect(run(inputs).last).toEqual([`refuse decision: ${why}`])
  })

  it('leave the plan open to a good one when they do not fit', () => {
    const bad = [
      decision({ planHash: 'x' }),
      decision({ evidenceHash: 'x' }),
      decision({ node: 'x' }),
      decision({ ttlMs: 0 }),
    ]
    expect(run([...waiting, ...bad, decision(), tick, permit(), collected]).phases).toEqual(['applying'])
  })

  it.each(['suggest', 'observe'])('cannot approve what is in mode %s, but can turn it down', (mode) => {
    const rules = rulesFor({ sysctl: { mode } })
    expect(run(waiting, rules).phases).toEqual(['proposed'])
    expect(run(approved, rules).last).toEqual([`refuse decision: its rule is in mode ${mode}`])
    expect(run([...approved, [1_000_000, tick]], rules).last).toEqual([])
    expect(run([...waiting, decision({ action: 'reject' })], rules).phases).toEqual(['rejected'])
  })

  it('are named in the record that acts on them, until they are void', () => {
    const idIn = (inputs: readonly Timed[]) => run(inputs).state.fixes[0]?.remediation.decisionId
    expect(idIn(waiting)).toBeUndefined()
    expect(idIn(applying)).toBe('decision-1')
    expect(idIn([...verifying, verified(ok)])).toBe('decision-1')
    expect(idIn([...waiting, decision({ action: 'reject' })])).toBe('decision-1')
    expect(idIn([...approved, { kind: 'reconfigured' }, [60_001, tick]])).toBeUndefined()
  })

  it('are used up by an approval that came to nothing', () => {
    const late = [...approved, { kind: 'reconfigured' } as const, [60_001, tick] as const]
    expect(run([...late, decision()]).last).toEqual(['refuse decision: it has been used'])
    expect(run([...late, decision({ id: 'd2' })]).phases).toEqual(['proposed'])
  })

  it('may wait their turn until they expire, and hold once the leader was asked', () => {
    expect(run([...approved, [60_000, tick]]).last).toEqual(['save', 'ask'])
    expect(run([...asking, refusal({ retryAfterMs: 3_600_000 }), [3_600_000, tick]]).last).toEqual(['save', 'ask'])
  })
})
