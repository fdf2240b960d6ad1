/** Which rung comes next, how far each mode goes by itself, and when a window lets something begin. */
import { describe, expect, it } from 'vitest'
import type { Remediator } from '../../remediators/contract.ts'
import { type FixInput, step } from '../../remediators/engine.ts'
import { makePlan } from '../../remediators/plan.ts'
import { aroundWith, at, autoRules, decisionFor, looking, ok, permitFor, second, sysctl, unknown } from './parts.ts'
import {
  appliedFailed,
  appliedOk,
  collected,
  fault,
  permit,
  plan,
  report,
  reverted,
  run,
  type Timed,
  tick,
  tickWith,
  verified,
} from './steps.ts'

const DAY_MS = 86_400_000
const COOL_MS = 600_000
const ladder = [
  { remediator: 'sysctl', attempts: 1 },
  { remediator: 'second', attempts: 1 },
]
const two = autoRules({ ladder }, second)
const begun = [report(fault), tick, permit(), collected]
const tried = [...begun, appliedOk, verified(fault), reverted()]
const planOfSecond = makePlan(second, fault, second.plan(fault, second.options.parse({}), undefined) ?? [], at(0).wall)

describe('the ladder', () => {
  it('goes on to the next rung once one had no effect, after its cool-down', () => {
    expect(run([...tried, [COOL_MS - 1, report(fault)]], two).phases).toEqual(['reverted'])
    const { state, phases } = run([...tried, [COOL_MS, report(fault)]], two)
    expect(phases).toEqual(['reverted', 'proposed'])
    expect(state.fixes[1]?.remediation).toMatchObject({
      plan: { remediator: 'second' },
      rung: 2,
      attempt: 1,
      policy: 'params',
    })
  })

  /** The second rung has no effect either. */
  const both = (): readonly Timed[] => {
    const { id } = planOfSecond
    return [
      ...tried,
      [COOL_MS, report(fault)],
      tick,
      { kind: 'permit', permit: permitFor(planOfSecond, { id: 'permit-2' }) },
      { kind: 'collected', planId: id, result: { kind: 'none' } },
      { kind: 'applied', planId: id, result: { kind: 'ok' } },
      { kind: 'verified', planId: id, findings: [fault] },
      { kind: 'reverted', planId: id, failure: null },
    ]
  }

  it('tells a person once when no rung is left, and again only after the fault has cleared', () => {
    const last = run([...both(), report(fault)], two)
    expect(last.phases).toEqual(['reverted', 'escalated'])
    expect(last.last).toEqual([
      'save',
      'escalated: the fault is there, and no rung is left: tried 2 times within a day (sysctl, second). A person is needed',
    ])
    expect(run([...both(), report(fault), report(fault)], two).last).toEqual([])
    expect(run([...both(), report(fault), report(unknown), report(fault)], two).last).toEqual([])
    expect(run([...both(), report(fault), report({ ...fault, held: 'flapping' }), report(fault)], two).last).toEqual([])
    expect(run([...both(), report(fault), report(ok), report(fault)], two).last[1]).toContain('escalated')
  })

  it('tells it after another fault that the same change is made for', () => {
    const unhealthy = { ...fault, cause: 'other', id: 'other' }
    const failed = run([...begun, appliedOk, verified(fault), reverted()], autoRules()).state
    const other = run([report(unhealthy)], autoRules(), failed)
    expect(other.phases).toEqual(['proposed'])
    expect(other.state.fixes[0]?.remediation.plan.id).toBe(plan.id)
    expect(run([report(fault, unhealthy)], autoRules(), other.state).last).toEqual([])
    const { raw } = run([report(fault)], autoRules(), other.state)
    expect(raw.flatMap((effect) => (effect.kind === 'announce' ? [effect.remediation] : []))).toMatchObject([
      { phase: 'withdrawn', plan: { cause: 'other' } },
      { phase: 'escalated', plan: { cause: 'vm.swappiness' } },
    ])
  })

  it('says with a plan that is made again how it ended before, up to the last few times', () => {
    const failed = [...begun, appliedFailed, reverted()]
    const rules = autoRules({ ladder: [{ remediator: 'sysctl', attempts: 20 }] })
    const all = Array.from({ length: 10 }, (_, index): readonly Timed[] => [
      [index * COOL_MS, report(fault)],
      tick,
      permit({ id: `permit-${index}` }),
      ...failed.slice(3),
    ])
    const earlier = (times: number) =>
      run([...all.slice(0, times).flat(), [times * COOL_MS, report(fault)]], rules).state.fixes[0]?.remediation.earlier
    expect(earlier(0)).toBeUndefined()
    const ends = [0, 1].map((index) => {
      const { wall } = at(index * COOL_MS)
      return { plannedAt: wall, reason: fault.reason, cause: fault.cause, phase: 'reverted', at: wall }
    })
    expect(earlier(2)).toEqual(ends)
    expect(earlier(10)).toHaveLength(8)
    expect(earlier(10)?.at(-1)?.plannedAt).toBe(at(9 * COOL_MS).wall)
    const withdrawn = [...all.slice(0, 2).flat(), [2 * COOL_MS, report(fault)], report(ok), report(fault)] as const
    expect(run(withdrawn, rules).state.fixes[0]?.remediation).toMatchObject({ phase: 'proposed', earlier: ends })
  })

  it('begins anew when what was tried is a day old, and no person was told', () => {
    const { phases } = run([...both(), report(ok), [COOL_MS + DAY_MS, report(fault)]], two)
    expect(phases).toContain('proposed')
    const told = [...both(), report(fault), [COOL_MS + DAY_MS, report(fault)]] as const
    expect(run(told, two).last).toEqual([])
  })

  it('tries a rung as often as it says before the next, when it failed or the fault came back', () => {
    const twice = autoRules(
      { ladder: [{ remediator: 'sysctl', attempts: 2 }, ladder[1] ?? { remediator: '', attempts: 1 }] },
      second,
    )
    const failed = [...begun, appliedFailed, reverted(), [COOL_MS, report(fault)]] as const
    expect(run(failed, twice).state.fixes[0]?.remediation).toMatchObject({ phase: 'proposed', rung: 1, attempt: 2 })
    const helped = [...begun, appliedOk, verified(ok), [COOL_MS, report(fault)]] as const
    expect(run(helped, twice).state.fixes[0]?.remediation).toMatchObject({ phase: 'proposed', rung: 1, attempt: 2 })
    expect(run(helped, two).state.fixes[1]?.remediation).toMatchObject({ phase: 'proposed', rung: 2 })
  })

  it('counts for a person only what did not help', () => {
    const approving = autoRules({ ladder, mode: 'approve' }, second)
    const mended: readonly Timed[] = [
      report(fault),
      { kind: 'decision', decision: decisionFor(plan) },
      tick,
      permit(),
      collected,
      appliedOk,
      verified(ok),
      report(fault),
    ]
    expect(run(mended, approving).state.fixes[0]?.remediation).toMatchObject({
      phase: 'awaiting-approval',
      rung: 1,
      attempt: 2,
    })
  })

  it('passes over a rung that has no plan for the fault', () => {
    const empty: Remediator = { ...sysctl, plan: () => null }
    expect(run([report(fault)], autoRules({ ladder }, second, empty)).state.fixes[0]?.remediation).toMatchObject({
      plan: { remediator: 'second' },
      rung: 2,
    })
    expect(run([report(fault)], autoRules({}, empty)).last).toEqual([])
  })

  it('stops at once when something could not be put back', () => {
    const failed = [...begun, appliedOk, verified(fault), reverted('EIO')]
    expect(run([...failed, [COOL_MS, report(fault)]], two).last).toEqual([])
    expect(run(failed, two).phases).toEqual(['escalated'])
  })

  it('goes on after what cannot be undone, and does not put it back', () => {
    const oneWay: Remediator = { ...sysctl, reversible: false }
    const rules = autoRules({ ladder, mode: 'approve' }, second, oneWay)
    const approved: readonly Timed[] = [
      report(fault),
      { kind: 'decision', decision: decisionFor(plan) },
      tick,
      permit(),
      collected,
    ]
    const { last, state } = run([...approved, appliedOk, verified(fault)], rules)
    expect(last).toEqual([
      'save',
      'no-effect: the fault is still there: vm.swappiness is 60, wanted 10; it cannot be undone',
    ])
    expect(state.fixes[0]?.remediation.ended).toBe(true)
    expect(run([[COOL_MS, report(fault)]], rules, state).phases).toEqual(['no-effect', 'awaiting-approval'])
    expect(run([...approved, appliedFailed], rules).last).toEqual(['save', 'failed: EIO', 'revert'])
  })

  it('survives a restart with its attempts', () => {
    const { state } = run(tried, two)
    const resumed = run([{ kind: 'resume' }], two, JSON.parse(JSON.stringify(state)))
    expect(run([[COOL_MS, report(fault)]], two, resumed.state).state.fixes[1]?.remediation.rung).toBe(2)
  })
})

describe('what has to be looked at before it is planned', () => {
  const rules = autoRules(
    { ladder: [{ remediator: 'looking', attempts: 1 }, ladder[1] ?? { remediator: '', attempts: 1 }] },
    looking,
    second,
  )
  const inspected = (result: Extract<FixInput, { kind: 'inspected' }>['result']): FixInput => {
    return { kind: 'inspected', remediator: 'looking', finding: fault, result }
  }
  const seen = inspected({ kind: 'seen', seen: undefined })

  it.each<[string, readonly Timed[], readonly string[]]>([
    ['is looked at', [report(fault)], ['save', 'inspect']],
    ['is looked at once', [report(fault), report(fault)], []],
    ['is planned then', [report(fault), seen], ['save', 'proposed: automatic: it begins once the leader permits it']],
    ['is not planned when the fault has gone meanwhile', [report(fault), report(ok), seen], []],
    ['is not planned when the detector could not look meanwhile', [report(fault), report(unknown), seen], []],
    ['is not planned when nobody asked', [seen], []],
    ['waits for another look when that failed', [report(fault), inspected({ kind: 'failed', why: 'EIO' })], ['save']],
    [
      'is looked at again then',
      [report(fault), inspected({ kind: 'failed', why: 'EIO' }), report(fault)],
      ['save', 'inspect'],
    ],
    ['is not looked at while its plan waits', [report(fault), seen, report(fault)], []],
    [
      'leaves it to the next rung when there is nothing for it',
      [report(fault), inspected({ kind: 'not-applicable' })],
      ['save', 'proposed: automatic: it begins once the leader permits it'],
    ],
    [
      'is looked at again under other settings',
      [report(fault), seen, { kind: 'reconfigured' }, report(fault)],
      ['save', 'inspect'],
    ],
    ['is looked at again after a restart', [report(fault), { kind: 'resume' }, report(fault)], ['save', 'inspect']],
  ])('%s', (_, inputs, effects) => {
    expect(run(inputs, rules).last).toEqual(effects)
  })
})

describe('modes', () => {
  it.each<[string, Partial<Remediator>, string]>([
    ['cannot be undone', { reversible: false }, 'what it does cannot be undone'],
    ['is dangerous', { risk: 'dangerous' }, 'it is dangerous'],
    ['reaches workloads', { reach: 'workloads' }, 'it reaches the workloads of the node'],
    ['reaches the machine', { reach: 'machine' }, 'it reaches the whole machine'],
  ])('auto is for a person where the remedy %s', (_, parts) => {
    const { state } = run([report(fault)], autoRules({}, { ...sysctl, ...parts }))
    expect(state.fixes[0]?.remediation).toMatchObject({ phase: 'awaiting-approval', mode: 'approve' })
    expect(run([report(fault), [1_000_000, tick]], autoRules({}, { ...sysctl, ...parts })).last).toEqual([])
  })

  it('auto is auto where nobody wants back what is lost', () => {
    const rules = autoRules({}, { ...sysctl, reversible: false, loses: 'old logs' })
    expect(run([report(fault)], rules).state.fixes[0]?.remediation).toMatchObject({ phase: 'proposed', mode: 'auto' })
  })

  it('observe and suggest ask nobody, ever', () => {
    for (const mode of ['observe', 'suggest'] as const) {
      const all = run(
        [report(fault), tick, [1_000_000, tick], report(fault), permit()],
        autoRules({ mode }),
      ).effects.flat()
      expect(all.filter((word) => ['ask', 'collect', 'apply'].includes(word))).toEqual([])
    }
  })

  it('of one that is only recorded say how the fault went by itself', () => {
    const recorded = run([report(fault), [DAY_MS, report(ok)]], autoRules({ mode: 'observe' }))
    expect(recorded.state.fixes[0]?.remediation).toMatchObject({ phase: 'withdrawn', mode: 'observe', ended: true })
  })
})

describe('windows', () => {
  /** Open in the first half of each hour; the tests begin at midnight. */
  const windows = [{ cron: '0 * * * *', duration: '30m', timeZone: 'UTC' }] as const
  const rules = autoRules({ windows })
  const CLOSED_MS = 1_800_000
  const OPENS = '2026-01-01T01:00:00Z'

  it('keep what is due waiting, and say when they open', () => {
    const { last, state } = run([report(fault), [CLOSED_MS, tick]], rules)
    expect(last).toEqual(['save', `awaiting-window: outside its window, which opens next at ${OPENS}`])
    expect(run([[CLOSED_MS + 1_000, tick]], rules, state).last).toEqual([])
    expect(run([[3_600_000, tick]], rules, state).last).toEqual([
      'save',
      'proposed: its window is open: it begins once the leader permits it',
      'ask',
    ])
  })

  it('hold an approval until they open, also over a restart', () => {
    const approving = autoRules({ windows, mode: 'approve' })
    const approved: Timed[] = [[CLOSED_MS, report(fault)], { kind: 'decision', decision: decisionFor(plan) }, tick]
    expect(run([...approved, [3_600_000, tick]], approving).last).toContain('ask')
    const { state } = run(approved, approving)
    const restarted = run([{ kind: 'resume' }, report(fault)], approving, JSON.parse(JSON.stringify(state))).state
    expect(run([[3_600_000, tick]], approving, restarted).last).toContain('ask')
  })

  it('that close before something has begun send it back to wait', () => {
    const asked = [report(fault), [CLOSED_MS - 1_000, tick]] as const
    const late = [...asked, [CLOSED_MS - 500, permit()], [CLOSED_MS, collected]] as const
    expect(run(late, rules).last).toEqual(['save', `awaiting-window: outside its window, which opens next at ${OPENS}`])
  })

  it('are read on the wall clock of the very moment: a jump over them begins nothing', () => {
    const open = run([report(fault), tick, permit()], rules).state
    const jumped = { ms: 1_000, wall: at(CLOSED_MS).wall }
    const { state, effects } = step(rules, open, jumped, collected)
    expect(effects.map(({ kind }) => kind)).toEqual(['save', 'announce'])
    expect(state.fixes[0]?.remediation.phase).toBe('awaiting-window')
    const back = { ms: 2_000, wall: at(0).wall }
    const asks = step(rules, state, back, { kind: 'tick', around: aroundWith() }).effects
    expect(asks.map(({ kind }) => kind)).toEqual(['save', 'announce', 'ask'])
  })

  it('bind a node also that is cut off', () => {
    const alone = { isLed: false, neighbours: new Map<string, number>(), chance: 0 }
    const asking: Timed[] = Array.from({ length: 6 }, (_, index) => [
      index * 100_000,
      tickWith({ ...alone, isLed: true }),
    ])
    const { state } = run([report(fault), ...asking], rules)
    expect(run([[CLOSED_MS, tickWith(alone)]], rules, state).last[1]).toContain('awaiting-window')
    expect(run([[1_000_000, tickWith(alone)]], rules, state).last).toContain('collect')
  })
})
