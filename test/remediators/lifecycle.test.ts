/** Several plans at a time, plans that come again, and plans that outlive the process. */
import { describe, expect, it } from 'vitest'
import type { FixInput } from '../../remediators/engine.ts'
import { hashPlan } from '../../remediators/plan.ts'
import type { FixState } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import { at, autoRules, COOL_DOWN_MS, decisionFor, differs, NODE, ok, permitFor, rulesFor, unknown } from './parts.ts'
import {
  appliedStale,
  applying,
  approved,
  asking,
  decision,
  fault,
  permit,
  permitted,
  plan,
  planOf,
  refusal,
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
  const other = differs('vm.dirty_ratio', '20', '15')
  const { id: otherId } = planOf(other)
  const decideOther: FixInput = { kind: 'decision', decision: decisionFor(planOf(other), { id: 'd2' }) }
  const permitOther: FixInput = { kind: 'permit', permit: permitFor(planOf(other), { id: 'permit-2' }) }
  const both = [report(fault, other), [1, decideOther], [2, decision()]] as const

  it('are carried out one at a time, in the order of approval', () => {
    const { state } = run([...both, tick, permitOther, tick])
    expect(state.fixes.map(({ remediation }) => `${remediation.plan.cause} ${remediation.phase}`).toSorted()).toEqual([
      'vm.dirty_ratio permitted',
      'vm.swappiness proposed',
    ])
    const stale: readonly FixInput[] = [
      { kind: 'collected', planId: otherId, result: { kind: 'none' } },
      { kind: 'applied', planId: otherId, result: { kind: 'stale', why: '' } },
    ]
    expect(run([...both, tick, permitOther, ...stale, tick, permit()]).phases).toEqual(['refused', 'permitted'])
  })

  it('are withdrawn each by itself', () => {
    const { state } = run([report(fault, other), report(other)])
    expect(state.fixes.map(({ remediation }) => `${remediation.plan.cause} ${remediation.phase}`)).toEqual([
      'vm.dirty_ratio awaiting-approval',
      'vm.swappiness withdrawn',
    ])
  })

  it('replace each other when the host changes', () => {
    expect(run([...waiting, report(differs('vm.swappiness', '30', '10'))]).last).toEqual([
      'save',
      'withdrawn: the host or the settings changed, and the plan no longer fits',
      'awaiting-approval: waiting for approval',
    ])
  })

  it('are bounded: those that wait, those that ended, what was tried, and what was used', () => {
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
      decision({ id: `d${index}`, action: 'reject' }),
    ]).flat()
    const used = run(rejections).state.usedDecisions
    expect(used).toHaveLength(1_000)
    expect(used.at(-1)).toBe('d1099')
    const faults = Array.from({ length: 250 }, (_, index) => differs(`vm.x${index}`, '0', '1'))
    const turnedDown = faults.flatMap((one, index) => [
      report(one),
      { kind: 'decision', decision: decisionFor(planOf(one), { id: `d${index}`, action: 'reject' }) } as const,
    ])
    expect(run(turnedDown).state.cases).toHaveLength(200)
  })
})

describe('other settings', () => {
  const changed: FixInput = { kind: 'reconfigured' }

  it('let nothing begin before a report has shown that it fits them', () => {
    expect(run([...approved, changed, tick]).last).toEqual([])
    expect(run([...approved, changed, report(fault), tick]).last).toEqual(['save', 'ask'])
    expect(run([...asking, changed, permit()]).last[0]).toMatch(/^refuse permit: nobody waits for it/)
  })

  it('leave alone what was permitted', () => {
    expect(run([...permitted, changed]).last).toEqual([])
  })

  it.each([
    ['observe', 'proposed: recorded only: its rule is in mode observe'],
    ['suggest', 'proposed: a suggestion: its rule is not set to accept approvals'],
  ])('take back an approval when they come to mode %s', (mode, said) => {
    const { state } = run([...approved, changed])
    const rules = rulesFor({ sysctl: { mode } })
    expect(run([report(fault)], rules, state).last).toEqual(['save', said])
    expect(run([report(fault), tick], rules, state).last).toEqual([])
  })

  it('withdraw what they have no remedy for', () => {
    const { state } = run([...approved, changed])
    const rules = rulesFor({ sysctl: { mode: 'approve', options: { allow: ['net.core.*'] } } })
    expect(run([report(fault)], rules, state).phases).toEqual(['withdrawn'])
  })

  it('keep what they do not touch, also what a person said', () => {
    const { state } = run([...approved, changed, report(fault)])
    expect(state).toEqual(run(approved).state)
  })
})

describe('cool-down', () => {
  it.each<[string, string, readonly Timed[]]>([
    ['of this very plan', 'refused', [...applying, appliedStale]],
    ['of this very plan', 'rejected', [...waiting, decision({ action: 'reject' })]],
  ])('%s keeps it from being made again after it was %s', (_, phase, inputs) => {
    const two = rulesFor({}, [{ ...policy, ladder: [{ remediator: 'sysctl', attempts: 2 }] }])
    expect(run([...inputs, [COOL_DOWN_MS - 1, report(fault)]], two).phases).toEqual([phase])
    expect(run([...inputs, [COOL_DOWN_MS, report(fault)]], two).phases).toEqual(['awaiting-approval'])
    const other = differs('vm.swappiness', '30', '10')
    expect(run([...inputs, report(other)], two).phases).toEqual([phase, 'awaiting-approval'])
  })

  it('of the fault lets nothing more be tried after an attempt that failed', () => {
    const two = rulesFor({}, [{ ...policy, ladder: [{ remediator: 'sysctl', attempts: 2 }] }])
    const failed = [...revertingFailed, reverted()]
    const other = differs('vm.swappiness', '30', '10')
    expect(run([...failed, [COOL_DOWN_MS - 1, report(other)]], two).phases).toEqual(['reverted'])
    expect(run([...failed, [COOL_DOWN_MS, report(other)]], two).phases).toEqual(['reverted', 'awaiting-approval'])
  })

  it('is not for a fault that came back after a person had it mended, or that went by itself', () => {
    expect(run([...verifying, verified(ok), report(fault)]).phases).toEqual(['awaiting-approval'])
    expect(run([...waiting, report(ok), report(fault)]).phases).toEqual(['awaiting-approval'])
  })

  it('is for one that came back after it was mended automatically', () => {
    const auto = autoRules({ ladder: [{ remediator: 'sysctl', attempts: 2 }] })
    const mended = [report(fault), tick, permit(), ...verifying.slice(-2), verified(ok)]
    expect(run([...mended, [COOL_DOWN_MS - 1, report(fault)]], auto).phases).toEqual(['verified'])
    expect(run([...mended, [COOL_DOWN_MS, report(fault)]], auto).phases).toEqual(['proposed'])
  })
})

const policy = {
  name: 'params',
  selector: { all: true },
  match: [{ reason: 'KernelParamDiffers' }],
  mode: 'approve',
  windows: [],
  coolDown: '10m',
} as const

describe('after a restart', () => {
  const onDisk = (inputs: readonly Timed[]) => decodeFixState(encodeFixState(run(inputs).state))
  /** The clock of the new process has begun at zero again. */
  const resumed = (inputs: readonly Timed[]) => run([resume], rulesFor(), onDisk(inputs))
  const RESTARTED = 'the agent restarted during the fix: looking whether the fault is gone'

  it.each<[string, readonly Timed[], readonly string[]]>([
    ['nothing', [], ['save']],
    ['a plan that waits', waiting, ['save', 'awaiting-approval: waiting for approval']],
    [
      'an approval that was not used: it is void',
      approved,
      [
        'save',
        'awaiting-approval: the approval by ada via page was not used before the agent restarted and is void: waiting for a new one',
      ],
    ],
    [
      'a request, whose answer would be of no use',
      asking,
      [
        'save',
        'awaiting-approval: the approval by ada via page was not used before the agent restarted and is void: waiting for a new one',
      ],
    ],
    [
      'a permit that was used up and nothing begun with',
      permitted,
      [
        'save',
        'awaiting-approval: the approval by ada via page was not used before the agent restarted and is void: waiting for a new one',
      ],
    ],
    [
      'a fix that may or may not have been applied: look, never apply again',
      applying,
      ['save', `verifying: ${RESTARTED}`, 'verify'],
    ],
    ['a fix that was not verified', verifying, ['save', `verifying: ${RESTARTED}`, 'verify']],
    [
      'a fix that may or may not have been put back: put it back',
      reverting,
      ['save', 'no-effect: the fault is still there: vm.swappiness is 60, wanted 10', 'revert'],
    ],
    [
      'a fix that ended last',
      [...verifying, verified(ok)],
      ['save', 'verified: kernel-params looked again, and the fault is gone'],
    ],
    [
      'a fix that ended before, whose end others may not have heard',
      [...verifying, verified(ok), [1, report(differs('vm.dirty_ratio', '20', '15'))]],
      [
        'save',
        'verified: kernel-params looked again, and the fault is gone',
        'awaiting-approval: waiting for approval',
      ],
    ],
    [
      'a plan that came to nothing long ago',
      [report(fault), report(ok), [1, report(differs('vm.dirty_ratio', '20', '15'))]],
      ['save', 'awaiting-approval: waiting for approval'],
    ],
  ])('finds %s', (_, inputs, effects) => {
    expect(resumed(inputs).last).toEqual(effects)
  })

  it('says again what it recorded last, also when the clock was set back in between', () => {
    const dirty = differs('vm.dirty_ratio', '20', '15')
    const { state } = run([report(fault), [9, report(ok)], [10, report(dirty)], [11, report(ok)]])
    const [first, last] = state.fixes.map(({ remediation }) => remediation.plan.cause)
    expect([first, last]).toEqual(['vm.swappiness', 'vm.dirty_ratio'])
    const setBack = state.fixes.map((fix, index) => {
      return { ...fix, remediation: { ...fix.remediation, at: at(10_000 - index).wall } }
    })
    const { raw } = run([resume], rulesFor(), { ...state, fixes: setBack })
    const said = raw.flatMap((effect) => (effect.kind === 'announce' ? [effect.remediation.plan.cause] : []))
    expect(said).toEqual(['vm.dirty_ratio'])
  })

  it('names the permit that nothing was begun with', () => {
    expect(resumed(permitted).state.fixes[0]?.remediation).toMatchObject({ permitId: 'permit-1' })
    expect(run([permit()], rulesFor(), resumed(permitted).state).last).toEqual(['refuse permit: it has been used'])
  })

  it('verifies or reverts what it found', () => {
    const from = resumed(applying).state
    expect(run([verified(ok)], rulesFor(), from).phases).toEqual(['verified'])
    expect(run([verified(fault), reverted()], rulesFor(), from).phases).toEqual(['reverted'])
  })

  it('begins nothing before a report has shown that the fault is still there', () => {
    const auto = autoRules()
    const from = run([resume], auto, decodeFixState(encodeFixState(run([report(fault)], auto).state))).state
    expect(run([tick], auto, from).last).toEqual([])
    expect(run([report(fault), tick], auto, from).last).toEqual(['save', 'ask'])
  })

  it('still knows the decisions and permits that were used', () => {
    expect(run([decision()], rulesFor(), resumed(approved).state).last).toEqual(['refuse decision: it has been used'])
    expect(resumed(applying).state.usedPermits).toEqual(['permit-1'])
  })

  it('goes on with what is left of a wait, as of the last record', () => {
    const { state } = resumed([
      [5_000_000, report(fault)],
      decision({ action: 'reject' }),
      [5_100_000, report(differs('vm.x', '0', '1'))],
    ])
    expect(run([[COOL_DOWN_MS - 100_001, report(fault)]], rulesFor(), state).phases).toContain('rejected')
    expect(run([[COOL_DOWN_MS - 100_000, report(fault)]], rulesFor(), state).phases).not.toContain('rejected')
  })

  it('asks a guard that refused no sooner than it said', () => {
    const auto = autoRules()
    const refused = run([report(fault), [1_000_000, tick], refusal()], auto).state
    const from = run([resume], auto, decodeFixState(encodeFixState(refused))).state
    expect(run([report(fault), [59_999, tick]], auto, from).last).toEqual([])
    expect(run([report(fault), [60_000, tick]], auto, from).last).toEqual(['save', 'ask'])
  })
})

describe('verification', () => {
  it('asks for the same cause, in whatever severity', () => {
    expect(run([...verifying, verified(differs('vm.dirty_ratio', '20', '15'))]).phases).toEqual(['verified'])
    expect(run([...verifying, verified({ ...fault, status: 'info' })]).phases).toEqual(['no-effect'])
    expect(run([...verifying, verified(differs('vm.swappiness', '99', '10'))]).phases).toEqual(['no-effect'])
  })

  it('trusts no report with an unknown in it', () => {
    expect(run([...verifying, verified(ok, unknown)]).phases).toEqual(['verifying'])
    expect(run([...verifying, verified()]).phases).toEqual(['verifying'])
  })
})

describe('a step', () => {
  it('saves first whenever anything changed, and only then', () => {
    for (const inputs of [
      waiting,
      approved,
      asking,
      permitted,
      applying,
      verifying,
      reverting,
      [...reverting, reverted()],
    ]) {
      expect(run(inputs).effects.map((words) => words.indexOf('save'))).toEqual(inputs.map(() => 0))
    }
    expect(run([...waiting, decision({ planHash: 'x' })]).last).not.toContain('save')
  })

  it('leaves plain data, which survives the disk', () => {
    for (const inputs of [
      waiting,
      approved,
      asking,
      [...asking, refusal()],
      permitted,
      applying,
      verifying,
      reverting,
    ]) {
      const { state } = run(inputs)
      expect(decodeFixState(encodeFixState(state))).toEqual(state satisfies FixState)
    }
  })

  it('keeps the plan as the person saw it while only figures change', () => {
    const drifted = { ...fault, evidence: [...fault.evidence, { name: 'uptime', value: 5, unit: 's' }] }
    const { state } = run([...waiting, report(drifted)])
    expect(state.fixes[0]?.remediation.plan).toEqual(plan)
    expect(hashPlan(plan)).toBe(plan.planHash)
    expect(plan.node).toBe(NODE)
  })
})
