/**
 * The shipped engine, guards and record of permits through days of random faults and foreign disruptions, held against the
 * invariants; and the same with one thing wrong each, which must be found. STARLING_REMEDIATION_DAYS makes it longer.
 * What fails is shown again by `npm run -s bench -- remediation --seed SEED --worlds 1`.
 */
import { describe, expect, it } from 'vitest'
import { BROKEN } from '../../bench/remediation/broken.ts'
import { INVARIANTS, type Violation } from '../../bench/remediation/invariants.ts'
import { simulate } from '../../bench/remediation/simulate.ts'

const SHORT_DAYS = 6
const DAYS = Number(process.env.STARLING_REMEDIATION_DAYS ?? SHORT_DAYS)
const IS_LONG = DAYS > SHORT_DAYS
/** A world of 200 nodes takes a minute a day. */
const NODES = [1, 3, 5, 5, 8, 12]
const SEEDS_MAX = IS_LONG ? 200 : 8

const inWords = ({ invariant, at, node, what }: Violation) => `${invariant}: ${at} ${node}: ${what}`

describe('what ships', () => {
  const seeds = Array.from({ length: DAYS }, (_, index) => index + 1)
  it.each(seeds)('breaks no invariant in the world of seed %i', { timeout: 600_000 }, (seed) => {
    const nodes = NODES[seed % NODES.length]
    const { violations } = simulate({ seed, days: 1, ...(IS_LONG || nodes === undefined ? {} : { nodes }) })
    expect(violations.map(inWords)).toEqual([])
  })

  it('goes the same way with the same seed', () => {
    const [once, again] = [1, 2].map(() => simulate({ seed: 3, days: 0.5, nodes: 3 }))
    expect(again).toEqual(once)
  })
})

describe('the checker finds it when', () => {
  const cases = Object.entries(BROKEN).filter(([, { rare }]) => IS_LONG || rare !== true)
  it.each(cases)('%s', { timeout: 600_000 }, (_, { breaks, parts }) => {
    const broken = new Set<string>()
    for (let seed = 1; seed <= SEEDS_MAX && !broken.has(breaks); seed++) {
      const { violations } = simulate({ seed, days: 2, nodes: [3, 5, 12][seed % 3] ?? 3, broken: parts })
      for (const { invariant } of violations) broken.add(invariant)
    }
    expect([...broken]).toContain(breaks)
  })

  it('any of the invariants breaks', () => {
    const found = new Set(Object.values(BROKEN).map(({ breaks }) => breaks))
    expect(Object.keys(INVARIANTS).filter((name) => !found.has(name as Violation['invariant']))).toEqual([])
  })
})
