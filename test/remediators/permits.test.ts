/** What comes of a permit, of a good one once and of any other never; and of no answer at all. */
import { describe, expect, it } from 'vitest'
import type { Permit } from '../../remediators/permits.ts'
import { autoRules, ok } from './parts.ts'
import {
  applied,
  applying,
  asking,
  collected,
  decision,
  fault,
  permit,
  permitted,
  plan,
  refusal,
  report,
  run,
  type Timed,
  tick,
  tickWith,
  verified,
  verifying,
  waiting,
} from './steps.ts'

const OTHER = 'f'.repeat(32)

describe('a permit', () => {
  it.each<[string, Partial<Permit>, string]>([
    ['of another node', { node: 'node-8' }, 'it is for node node-8'],
    ['for no plan', { planId: 'fix-0' }, 'there is no such plan'],
    ['to another request', { nonce: OTHER }, 'it answers another request'],
    ['for other content', { planHash: 'x' }, 'it was given for a plan with other content'],
    ['on other evidence', { evidenceHash: 'x' }, 'it was given on other evidence'],
  ])('%s is refused, and a good one is not', (_, parts, why) => {
    expect(run([...asking, permit(parts)]).last[0]).toBe(`refuse permit: ${why}`)
    expect(run([...asking, permit(parts), permit()]).phases).toEqual(['permitted'])
  })

  it.each<[string, readonly Timed[], string]>([
    ['that nobody asked for', [...waiting, permit()], 'nobody waits for it: the plan is awaiting-approval'],
    ['a second time', [...permitted, permit()], 'it has been used'],
    ['a second time, after the fix', [...verifying, verified(ok), permit()], 'it has been used'],
    [
      'a second time, for another request',
      [...permitted, [31_000, tick], [33_000, tick], permit()],
      'it has been used',
    ],
    ['after the host was well', [...asking, report(ok), permit()], 'nobody waits for it: the plan is withdrawn'],
    ['that comes too late', [...asking, [30_001, permit()]], 'it came too late'],
    [
      'after nobody waited any more',
      [...asking, [30_001, tick], permit()],
      'nobody waits for it: the plan is proposed',
    ],
    [
      'to the request before',
      [...asking, [30_001, tick], [45_001, tickWith({ nonce: OTHER })], permit()],
      'it answers another request',
    ],
  ])('%s is refused', (_, inputs, why) => {
    const { last, state } = run(inputs)
    expect(last[0]).toBe(`refuse permit: ${why}`)
    expect(last).not.toContain('apply')
    expect(state).toEqual(run(inputs.slice(0, -1)).state)
  })

  it('that is not used is named to the leader, which counts it until then', () => {
    const saidAfter = (inputs: readonly Timed[]) =>
      run(inputs).raw.flatMap((effect) => (effect.kind === 'announce' ? [effect.remediation] : []))
    const [late] = saidAfter([...asking, [30_001, permit()]])
    expect(late).toMatchObject({ phase: 'proposed', permitId: 'permit-1' })
    const [tooLong] = saidAfter([...permitted, [30_001, collected]])
    expect(tooLong).toMatchObject({ phase: 'proposed', permitId: 'permit-1' })
    expect(saidAfter([...applying, permit()])).toEqual([])
  })

  it('of before is not named once another is asked for, which a word without a name is about', () => {
    const again = [...permitted, [31_000, collected], [33_000, tickWith({ nonce: OTHER })]] as const
    expect(run([...permitted, [31_000, collected]]).state.fixes[0]?.remediation.permitId).toBe('permit-1')
    for (const next of [report(ok), decision({ id: 'd2', action: 'reject' }), refusal({ nonce: OTHER })]) {
      expect(run([...again, next]).state.fixes[0]?.remediation).not.toHaveProperty('permitId')
    }
  })

  it('is on record as used before anything is done', () => {
    expect(run(permitted).state.usedPermits).toEqual(['permit-1'])
    expect(run(permitted).last).toEqual(['save', 'permitted: the leader permits it', 'collect'])
    expect(run(applying).raw.at(-1)).toMatchObject({ kind: 'apply', permit: { id: 'permit-1' } })
  })

  it('is good for 30 s after it was asked for, on the clock of the node', () => {
    expect(run([...asking, [30_000, permit()], collected]).phases).toEqual(['applying'])
    expect(run([...asking, [29_000, permit()], [30_001, collected]]).phases).toEqual(['proposed'])
    expect(run(applying).raw.at(-1)).toMatchObject({ beginning: { byMs: 30_000 } })
  })

  it('that came to nothing is followed by another request, and diagnostics are not collected twice', () => {
    const late = [...permitted, [31_000, collected], [32_000, tickWith({ nonce: OTHER })]] as const
    expect(run(late).last).toEqual(['save', 'ask'])
    const again = run([...late, permit({ id: 'permit-2', nonce: OTHER })])
    expect(again.last).toEqual([
      'save',
      'permitted: the leader permits it',
      'applying: approved by ada via page; the leader permits it',
      'apply',
    ])
  })

  it('whose plan the hands were too late for does not count as an attempt', () => {
    const { state } = run([...applying, applied({ kind: 'not-begun', why: 'late' })])
    expect(state.cases[0]?.tries).toEqual([])
    expect(state.fixes[0]?.remediation).toMatchObject({ phase: 'proposed', permitId: 'permit-1' })
  })
})

describe('a refusal', () => {
  it('to another request changes nothing', () => {
    expect(run([...asking, refusal({ nonce: OTHER })]).last).toEqual([
      'refuse refusal: it answers no request that is open',
    ])
    expect(run([...applying, refusal()]).last).toEqual(['refuse refusal: it answers no request that is open'])
  })

  it('holds for as long as it says, and no shorter than a second', () => {
    expect(run([...asking, refusal({ retryAfterMs: 0 }), tick]).last).toEqual([])
    expect(run([...asking, refusal({ retryAfterMs: 0 }), [1_000, tick]]).last).toEqual(['save', 'ask'])
  })
})

describe('no answer', () => {
  const auto = autoRules()
  /** Asks, and hears nothing, so many times. */
  const unanswered = (times: number, parts = {}): readonly Timed[] => [
    report(fault),
    ...Array.from({ length: times * 2 }, (_, index): Timed => [index * 400_000, tickWith(parts)]),
  ]
  const none = new Map<string, number>()

  it('is followed by another request, later each time and at most 5 min later', () => {
    const waitAfter = (times: number) => {
      const { state, ms } = run(unanswered(times), auto)
      const [fix] = state.fixes
      return fix?.stage.kind === 'waiting' ? fix.stage.notBeforeMs - ms : 0
    }
    expect([1, 2, 3, 4, 5, 6, 7].map(waitAfter)).toEqual([15, 30, 60, 120, 240, 300, 300].map((s) => s * 1_000))
  })

  it('lets the others ask meanwhile', () => {
    const other = {
      ...fault,
      cause: 'vm.dirty_ratio',
      evidence: [{ name: 'vm.dirty_ratio', value: 20, limit: 15, unit: '' }],
    }
    const { raw } = run([report(fault, other), tick, [30_001, tick]], auto)
    expect(raw).toContainEqual(expect.objectContaining({ kind: 'ask' }))
    const asked = raw.flatMap((effect) => (effect.kind === 'ask' ? [effect.request.planId] : []))
    expect(asked).not.toContain(plan.id)
  })

  const alone = { isLed: false, neighbours: none }
  it('of several requests, with no leader, lets an automatic fix begin that stops nothing, after a wait by chance', () => {
    const { state, ms } = run(unanswered(3, alone), auto)
    const [fix] = state.fixes
    const begun = (afterMs: number, parts = {}) => run([[ms + afterMs, tickWith({ ...alone, ...parts })]], auto, state)
    expect(fix?.remediation.phase).toBe('proposed')
    expect(begun(299_999).last).not.toContain('collect')
    expect(begun(300_000).last).toEqual([
      'save',
      'permitted: cut off from the leader: it begins without a permit, since it stops and restarts nothing',
      'collect',
    ])
    expect(begun(300_000, { isLed: true }).last).toEqual(['save', 'ask'])
    expect(begun(300_000, { neighbours: new Map([['KernelParamDiffers', 3]]) }).last).toEqual(['save', 'ask'])
    expect(begun(300_000, { neighbours: new Map([['KernelParamDiffers', 2]]) }).last).toContain('collect')
    expect(begun(300_000, { neighbours: undefined }).last).toEqual(['save', 'ask'])
  })

  it.each<[string, Parameters<typeof autoRules>]>([
    ['what a person has to approve', [{ mode: 'approve' }]],
    ['what may stop something', [{}, { ...autoRules().byName.get('sysctl')?.remediator, reach: 'process' } as never]],
    [
      'what gives something up for good',
      [{}, { ...autoRules().byName.get('sysctl')?.remediator, reversible: false, loses: 'old logs' } as never],
    ],
  ])('never lets %s begin', (_, [parts, remediator]) => {
    const rules = remediator === undefined ? autoRules(parts) : autoRules(parts, remediator)
    const inputs: Timed[] = Array.from({ length: 60 }, (_, index) => [index * 400_000, tickWith(alone)])
    expect(run([report(fault), ...inputs], rules).effects.flat()).not.toContain('collect')
  })

  it('is not held for being cut off after fewer than three requests', () => {
    const { effects } = run([...unanswered(2, alone), [10_000_000, tickWith(alone)]], auto)
    expect(effects.flat()).not.toContain('collect')
  })
})
