/** What somebody else sets back is mended twice, and then left alone until the fault is gone. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contested, MENDED_MAX, UNDONE_WITHIN_MS, withMended } from '../../remediators/contested.ts'
import type { Plan } from '../../remediators/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import type { FixState, MendedValue } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { at, autoRules, decisionFor, differs, ok, permitFor, rulesFor, second, unknown } from './parts.ts'
import { appliedOk, collected, fault, plan as fix, report, resume, run, type Timed, tick, verified } from './steps.ts'

const HOUR = UNDONE_WITHIN_MS
const WALL = at(0).wall

function planFor(key = 'net.core.somaxconn', before = '128', after = '4096'): Plan {
  const changes = [{ what: key, before, after, undo: `sysctl -w ${key}=${before}` }]
  return makePlan(sysctl, differs(key, before, after), changes, WALL)
}
const plan = planFor()

/** What is known after these: when each fault came, when its fix was verified, and by which plan. */
type Mends = readonly (readonly [cameMs: number | null, verifiedMs: number, of?: Plan])[]
const knownAfter = (mends: Mends): readonly MendedValue[] =>
  mends.reduce<readonly MendedValue[]>((known, [came, at, of = plan]) => withMended(known, of, came, at), [])

describe('a value that somebody else sets back', () => {
  it.each<[string, Mends, number | null, boolean]>([
    ['never mended before', [], 0, false],
    ['mended once, and back at once', [[0, 1]], 2, false],
    [
      'mended twice, and back each time',
      [
        [0, 1],
        [2, 1_000_000],
      ],
      1_000_001,
      true,
    ],
    [
      'the second time just within the hour',
      [
        [0, 1],
        [2, 1_000_000],
      ],
      1_000_000 + HOUR,
      true,
    ],
    [
      'the second time after it',
      [
        [0, 1],
        [2, 1_000_000],
      ],
      1_000_001 + HOUR,
      false,
    ],
    [
      'the first time after it',
      [
        [0, 1],
        [HOUR + 2, HOUR + 3],
      ],
      HOUR + 4,
      false,
    ],
    [
      'the first time just within it',
      [
        [0, 1],
        [HOUR + 1, HOUR + 3],
      ],
      HOUR + 4,
      true,
    ],
    [
      'long ago, and lately',
      [
        [0, 1],
        [2, 3],
        [9 * HOUR, 9 * HOUR + 1],
      ],
      9 * HOUR + 2,
      false,
    ],
    [
      'another value in between',
      [
        [0, 1],
        [2, 3, planFor('vm.swappiness')],
      ],
      4,
      false,
    ],
    [
      'to another value than before',
      [
        [0, 1],
        [2, 3, planFor('net.core.somaxconn', '256')],
      ],
      4,
      false,
    ],
    [
      'by whatever is to be set in its place',
      [
        [0, 1, planFor('net.core.somaxconn', '128', '512')],
        [2, 3],
      ],
      4,
      true,
    ],
    [
      'when nobody saw it come the second time',
      [
        [0, 1],
        [2, 3],
      ],
      null,
      false,
    ],
    [
      'when nobody saw it come in between',
      [
        [0, 1],
        [2, 3],
        [null, 4],
      ],
      5,
      true,
    ],
    [
      'when nobody saw it come the first time',
      [
        [0, 1],
        [null, 3],
      ],
      4,
      false,
    ],
    [
      'for a fault that was there as another was mended by it',
      [
        [0, 10],
        [11, 20],
      ],
      15,
      false,
    ],
  ])('is contested or not: %s', (_, mends, cameMs, expected) => {
    expect(contested(knownAfter(mends), plan, cameMs, WALL) !== null).toBe(expected)
  })

  it('counts from when the fault came back, however long the fix waited for a person', () => {
    expect(
      contested(
        knownAfter([
          [0, 1],
          [60_000, 5 * HOUR],
        ]),
        plan,
        5 * HOUR + 1,
        WALL,
      ),
    ).not.toBeNull()
  })

  it('is said with the value, and with whom to look for', () => {
    expect(
      contested(
        knownAfter([
          [0, 1],
          [2, 3],
        ]),
        plan,
        4,
        WALL,
      ),
    ).toEqual({
      what: 'net.core.somaxconn',
      why: 'contested: twice within an hour after it was mended something else has set back net.core.somaxconn to 128; it is left alone until the fault is gone, look for tuned, a configuration manager, or a unit that runs at intervals',
      since: WALL,
    })
    const ofProxy = planFor('net.netfilter.nf_conntrack_max', '131072', '262144')
    expect(
      contested(
        knownAfter([
          [0, 1, ofProxy],
          [2, 3, ofProxy],
        ]),
        ofProxy,
        4,
        WALL,
      )?.why,
    ).toContain('look for kube-proxy (conntrack.maxPerCore and conntrack.min')
  })

  it('is known of so many values, and forgotten by age', () => {
    const mends = Array.from({ length: MENDED_MAX + 1 }, (_, index) => [0, index, planFor(`vm.x${index}`)] as const)
    expect(knownAfter(mends).map(({ what }) => what)).toEqual(mends.slice(1).map(([, , of]) => of.changes[0]?.what))
  })

  it('is never mended for a third time within the hour', () => {
    const waits = fc.array(fc.tuple(fc.integer({ min: 0, max: HOUR }), fc.integer({ min: 0, max: HOUR })))
    fc.assert(
      fc.property(waits, (all) => {
        const fixedAt: number[] = []
        let known: readonly MendedValue[] = []
        let ms = 0
        for (const [untilBack, untilMended] of all) {
          const cameMs = ms + untilBack
          ms = cameMs + untilMended
          if (contested(known, plan, cameMs, WALL) !== null) continue
          known = withMended(known, plan, cameMs, ms)
          fixedAt.push(ms)
        }
        expect(fixedAt.filter((at, index) => at - (fixedAt[index - 2] ?? Number.NEGATIVE_INFINITY) < HOUR)).toEqual([])
      }),
    )
  })
})

describe('a fix whose value is set back', () => {
  const MINUTE = 60_000
  const attempts = (most: number, ...others: readonly string[]) =>
    autoRules(
      {
        coolDown: '1m',
        ladder: [
          { remediator: 'sysctl', attempts: most },
          ...others.map((remediator) => ({ remediator, attempts: 1 })),
        ],
      },
      second,
    )
  /** The fault at `minute`, mended by itself. */
  const mendedAt = (minute: number): readonly Timed[] => [
    [minute * MINUTE, report(fault)],
    tick,
    { kind: 'permit', permit: permitFor(fix, { id: `permit-${minute}` }) },
    collected,
    appliedOk,
    verified(ok),
    report(ok),
  ]
  const twice = [...mendedAt(0), ...mendedAt(10)]
  const WHY =
    'contested: twice within an hour after it was mended something else has set back vm.swappiness to 60; it is left alone until the fault is gone, look for tuned, a configuration manager, or a unit that runs at intervals'
  const contestsOf = ({ cases }: FixState) => cases.map(({ contest }) => contest)

  it.each([
    ['with attempts left', attempts(5)],
    ['with no attempt left', attempts(2)],
    ['with another rung left', attempts(2, 'second')],
  ])('is not done a third time by itself, %s', (_, rules) => {
    const third = run([...twice, [20 * MINUTE, report(fault)]], rules)
    expect(third.last).toEqual(['save', `refused: ${WHY}`])
    expect(third.state.fixes.at(-1)?.remediation).toMatchObject({
      ended: true,
      plan: { createdAt: at(20 * MINUTE).wall },
    })
    expect(contestsOf(third.state)).toEqual([{ what: 'vm.swappiness', why: WHY, since: at(20 * MINUTE).wall }])
    const later = run(
      [[100 * MINUTE, report(fault)], report(unknown), tick, report({ ...fault, held: 'flapping' })],
      rules,
      third.state,
    )
    expect([later.effects.flat(), contestsOf(later.state)]).toEqual([[], contestsOf(third.state)])
  })

  it('is not offered to a person a third time either', () => {
    const approvedAt = (minute: number): readonly Timed[] => {
      const decision = decisionFor(fix, { id: `decision-${minute}` })
      const [seen, ...others] = mendedAt(minute)
      return seen === undefined ? [] : [seen, { kind: 'decision', decision }, ...others]
    }
    const mended = [...approvedAt(0), ...approvedAt(10)]
    expect(run([...mended, [20 * MINUTE, report(fault)]], rulesFor()).last).toEqual(['save', `refused: ${WHY}`])
  })

  it('may be done again once the fault is gone, and came back after more than the hour', () => {
    const gone = run([...twice, [20 * MINUTE, report(fault)], [30 * MINUTE, report(ok)]], attempts(5))
    expect(contestsOf(gone.state)).toEqual([null])
    expect(run([[40 * MINUTE, report(fault)]], attempts(5), gone.state).last).toEqual(['save', `refused: ${WHY}`])
    expect(run([[71 * MINUTE, report(fault)]], attempts(5), gone.state).phases).toEqual(['proposed'])
  })

  it('is known over a restart, and what came back over one counts neither way', () => {
    const onDisk = (state: FixState) => decodeFixState(encodeFixState(state))
    const before = onDisk(run([...twice, [20 * MINUTE, report(fault)]], attempts(5)).state)
    const resumed = run([resume, report(fault)], attempts(5), before)
    expect([contestsOf(resumed.state)[0]?.what, resumed.last]).toEqual(['vm.swappiness', []])
    const off = onDisk(run(twice, attempts(5)).state)
    const over = run([resume, [MINUTE, report(fault)]], attempts(5), off)
    expect(over.phases).toEqual(['proposed'])
    const again = run([resume, [MINUTE, report(ok)], [2 * MINUTE, report(fault)]], attempts(5), off)
    expect(again.phases).toEqual(['refused'])
  })

  it('is read from a disk that knows nothing of it yet', () => {
    const { state } = run(mendedAt(0), attempts(5))
    const { mended: _, ...old } = state
    const cases = state.cases.map(({ fault: _, contest: __, ...one }) => {
      return { ...one, tries: one.tries.map(({ cameMs: _, ...each }) => each) }
    })
    expect(decodeFixState(JSON.stringify({ format: 2, ...old, cases }))).toMatchObject({
      mended: [],
      cases: [{ fault: 'there', contest: null, tries: [{ cameMs: null }] }],
    })
  })
})
