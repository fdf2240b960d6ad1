/** Members that a roll-call did not reach: asked about before a verdict hangs on them. */
import { describe, expect, test } from 'vitest'
import { Absence } from '../../mesh/core/absence.ts'
import type { Answer } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { DrivenLeader } from './driven-leader.ts'
import { nodeName, sampleRoster } from './sample-mesh.ts'

const { rollCallMs } = DEFAULT_TIMING

test('an absent member is unexplained until somebody vouches for it, and again three seconds later', () => {
  const absence = new Absence()
  const unexplained = (ms: number) => absence.unexplained(ms, ['a', 'b'])
  expect(unexplained(0)).toEqual(['a', 'b'])
  absence.vouched(1_000, 'a')
  expect([unexplained(1_000), unexplained(3_999), unexplained(4_000)]).toEqual([['b'], ['b'], ['a', 'b']])
})

test('who answered a roll-call less than a second ago needs no explanation', () => {
  const absence = new Absence()
  absence.present(0, ['a'])
  expect([absence.unexplained(999, ['a', 'b']), absence.unexplained(1_000, ['a', 'b'])]).toEqual([['b'], ['a', 'b']])
})

describe('a leader with one candidate of twenty', () => {
  const SUBJECT = nodeName(4)
  const ALIVE: Partial<Answer> = { opinion: 'Alive', channel: 'unknown', forMs: 100 }

  /** The roll-call reaches all but `missing`; four that come into question at once are a crowd. */
  function closed(missing: number) {
    const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }) })
    const observers = leader.observersOf(SUBJECT)
    const absent = leader
      .everybody()
      .filter((node) => node !== SUBJECT && !observers.includes(node))
      .slice(0, missing)
    const present = leader.everybody().filter((node) => node !== SUBJECT && !absent.includes(node))
    const hearsObservers = (about: readonly string[], view: Partial<Answer>) => {
      const candidate = observers.map((voter) => leader.answer(SUBJECT, voter))
      const others = about.flatMap((node) => {
        return leader
          .observersOf(node)
          .filter((voter) => present.includes(voter))
          .map((voter) => leader.answer(node, voter, view))
      })
      return leader.hears([...candidate, ...others], present)
    }
    leader.accuse(SUBJECT, observers).tick(0)
    hearsObservers([], {}).tick(rollCallMs)
    return { leader, absent, hearsObservers }
  }

  test('convicts at once when one that is absent would not freeze the brake, either', () => {
    const { leader } = closed(1)
    expect([leader.calls.length, leader.certificates.length]).toEqual([1, 1])
  })

  test('asks once about more that are absent, as they may have fallen silent with it, and then convicts', () => {
    const { leader, absent, hearsObservers } = closed(2)
    expect(leader.certificates).toEqual([])
    expect(leader.call.rollCall.subjects.map(({ node }) => node)).toEqual([SUBJECT, ...absent])
    hearsObservers([], {}).tick(rollCallMs * 2)
    expect([leader.calls.length, leader.certificates.length]).toEqual([2, 1])
  })

  test('asks about those absent, with the candidate, before it takes them for the first sign of a cut', () => {
    const { leader, absent } = closed(4)
    expect(leader.certificates).toEqual([])
    expect(leader.calls).toHaveLength(2)
    expect(leader.call.rollCall.subjects.map(({ node }) => node)).toEqual([SUBJECT, ...absent])
    expect(leader.leader.frozen).toBeUndefined()
  })

  test('convicts when others vouch for them', () => {
    const { leader, absent, hearsObservers } = closed(4)
    hearsObservers(absent, ALIVE).tick(rollCallMs * 2)
    expect(leader.certificates).toMatchObject([{ subject: SUBJECT, present: 15 }])
    expect(leader.leader.frozen).toBeUndefined()
  })

  test('freezes when nobody does, and asks no third time', () => {
    const { leader, absent, hearsObservers } = closed(4)
    hearsObservers(absent, {}).tick(rollCallMs * 2)
    expect(leader.certificates).toEqual([])
    expect(leader.leader.frozen).toContain('came into question')
    expect(leader.noticed('withheld')).toMatchObject([{ subject: SUBJECT, why: expect.stringContaining('frozen') }])
    expect(leader.tick(rollCallMs * 3).calls).toHaveLength(2)
  })

  test('convicts nobody, and does not freeze either, when most did not answer: they may be too busy', () => {
    const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }) })
    const observers = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, observers).tick(0)
    const few = observers.slice(0, 9)
    leader
      .hears(
        few.map((voter) => leader.answer(SUBJECT, voter)),
        few,
      )
      .tick(rollCallMs)
    leader
      .hears(
        few.map((voter) => leader.answer(SUBJECT, voter)),
        few,
      )
      .tick(rollCallMs * 2)
    expect(leader.certificates).toEqual([])
    expect(leader.leader.frozen).toBeUndefined()
    expect(leader.noticed('withheld')).toMatchObject([{ why: expect.stringContaining('only 9 of 20') }])
  })

  test('convicts nobody else in the follow-up: those that it only asks about are no candidates', () => {
    const { leader, absent, hearsObservers } = closed(4)
    const [gone = '', ...rest] = absent
    hearsObservers(rest, ALIVE)
    leader.hears(leader.observersOf(gone).map((voter) => leader.answer(gone, voter))).tick(rollCallMs * 2)
    expect(leader.certificates.map(({ subject }) => subject)).toEqual([SUBJECT])
  })
})
