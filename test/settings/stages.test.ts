import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isReached,
  nextReach,
  type Placed,
  type Reach,
  readRollout,
  rolloutPart,
  stagesOf,
} from '../../settings/stages.ts'

const { shares: SHARES } = readRollout()
const membersOf = (count: number, pool?: string): readonly Placed[] =>
  Array.from({ length: count }, (_, index) => ({ node: `${pool ?? 'node'}-${index}`, pool }))
const reachedBy = (members: readonly Placed[], reach: Reach | null, seed: string) =>
  members.filter((member) => isReached(reach, seed, member))
const sizes = (members: readonly Placed[], shares: readonly number[] = SHARES, seed = 's') =>
  stagesOf(members, shares, seed).map((reach) => reachedBy(members, reach, seed).length)

const anyMembers = fc
  .uniqueArray(
    fc.record({ node: fc.string({ minLength: 1, maxLength: 8 }), pool: fc.constantFrom(undefined, 'a', 'b') }),
    {
      selector: ({ node }) => node,
      maxLength: 60,
    },
  )
  .map((members): readonly Placed[] => members)
const anyShares = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
  .map((percents) => [...percents.toSorted((a, b) => a - b), 100].map((percent) => percent / 100))
const seed = fc.string({ minLength: 1, maxLength: 8 })

describe('the stages of a roll-out', () => {
  test.each([
    [1, [1]],
    [2, [1, 2]],
    [3, [1, 2, 3]],
    [5, [1, 2, 5]],
    [100, [5, 25, 100]],
    [1_000, [50, 250, 1_000]],
  ])('among %i nodes reach %j', (count, wanted) => {
    expect(sizes(membersOf(count))).toEqual(wanted)
  })

  test('take at least one node of each pool first', () => {
    const members = [...membersOf(40, 'a'), ...membersOf(2, 'b'), ...membersOf(3)]
    const [first = null] = stagesOf(members, SHARES, 's')
    const pools = Map.groupBy(reachedBy(members, first, 's'), ({ pool }) => pool)
    const counts = new Map([...pools].map(([pool, of]) => [pool, of.length]))
    expect(counts).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
        [undefined, 1],
      ]),
    )
  })

  test('are one for everybody when that is asked for, however few they are', () => {
    expect(sizes(membersOf(3), [1])).toEqual([3])
  })

  test('grow, and the last is for everybody, also for those that come meanwhile', () => {
    fc.assert(
      fc.property(anyMembers, anyShares, seed, (members, shares, by) => {
        const stages = stagesOf(members, shares, by)
        expect(stages.at(-1)).toBeNull()
        let before: readonly Placed[] = []
        for (const reach of stages) {
          const now = reachedBy(members, reach, by)
          expect(before.every((member) => now.includes(member))).toBe(true)
          if (members.length > 0) expect(now.length).toBeGreaterThan(before.length)
          before = now
        }
        expect(isReached(null, by, { node: 'a newcomer', pool: 'a new pool' })).toBe(true)
      }),
    )
  })

  test('follow each other to the end, whoever comes and goes on the way', () => {
    fc.assert(
      fc.property(anyMembers, anyMembers, anyShares, seed, (members, later, shares, by) => {
        let reach = stagesOf(members, shares, by)[0] ?? null
        for (let steps = 0; reach !== null; steps++) {
          expect(steps).toBeLessThan(100)
          reach = nextReach(later, shares, by, reach)
        }
      }),
    )
  })
})

describe('what a document says of its roll-out', () => {
  test('has defaults', () => {
    expect(readRollout()).toEqual({ shares: [0.05, 0.25, 1], soakMs: 120_000, onHalt: 'rollback' })
    expect(readRollout({ stages: ['100%'], soak: '0s', onHalt: 'hold' })).toMatchObject({ shares: [1], soakMs: 0 })
  })

  test.each([
    { stages: [] },
    { stages: ['5%'] },
    { stages: ['0%', '100%'] },
    { stages: ['100%', '100%'] },
    { stages: ['50%', '20%', '100%'] },
    { stages: ['5', '100%'] },
    { stages: ['101%'] },
    { soak: '2 minutes' },
    { soak: '2d' },
    { onHalt: 'panic' },
    { stage: ['100%'] },
  ])('%j is refused', (part) => {
    expect(rolloutPart.safeParse(part).success).toBe(false)
  })
})
