/** Where nobody could be convicted because the observers are unfit, there is an alarm. */
import { describe, expect, test } from 'vitest'
import { Blindness } from '../../mesh/core/blindness.ts'
import { Membership } from '../../mesh/core/membership.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { nodeName, sampleRoster } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 100 })
const SUBJECT = nodeName(4)
const observers = ringOf(roster).observersOf(SUBJECT)
const names = roster.members.map(({ node }) => node)

const blindness = () => new Blindness(new Membership(roster))

describe('an alarm', () => {
  test.each([
    { abstaining: 5, isBlind: false },
    { abstaining: 6, isBlind: true },
  ])('for a subject of which $abstaining of ten observers abstain: $isBlind', ({ abstaining, isBlind }) => {
    const mine = blindness()
    const notices = mine.update(new Set(observers.slice(0, abstaining)))
    expect(notices).toEqual(isBlind ? [expect.objectContaining({ kind: 'blind', open: true })] : [])
    expect(mine.subjects.includes(SUBJECT)).toBe(isBlind)
  })

  test.each([
    { abstaining: 24, isDark: false },
    { abstaining: 25, isDark: true },
  ])('for the whole mesh when $abstaining of 100 abstain: $isDark', ({ abstaining, isDark }) => {
    const [notice] = blindness().update(new Set(names.slice(0, abstaining)))
    const why = notice?.kind === 'blind' ? notice.why : ''
    expect(why.includes('25 of 100 members do not vote')).toBe(isDark)
  })

  test('is told when it begins, when its subjects change, and when it ends, not in between', () => {
    const mine = blindness()
    const few = new Set(observers.slice(0, 6))
    const more = new Set([...few, ...ringOf(roster).observersOf(nodeName(40)).slice(0, 6)])
    const told = [new Set<string>(), few, few, more, new Set<string>(), new Set<string>()].map((abstaining) =>
      mine.update(abstaining).flatMap((notice) => (notice.kind === 'blind' ? [notice.open] : [])),
    )
    expect(told).toEqual([[], [true], [], [true], [false], []])
    expect(mine.subjects).toEqual([])
  })
})
