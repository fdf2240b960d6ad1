import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Roster } from '../../mesh/core/model.ts'
import { neededOf } from '../../mesh/core/quorum.ts'
import { contactsOf, OBSERVERS_PER_SUBJECT as K, type Ring, ringOf } from '../../mesh/core/ring.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { nodeName, rosterOf, sampleMember, sampleRoster } from './sample-mesh.ts'

function edgesOf(roster: Roster): Set<string> {
  const ring = ringOf(roster)
  return new Set(roster.members.flatMap(({ node }) => ring.observersOf(node).map((observer) => `${observer}>${node}`)))
}

function differing(before: Set<string>, after: Set<string>): number {
  const unlike = (one: Set<string>, other: Set<string>) => [...one].filter((edge) => !other.has(edge)).length
  return unlike(before, after) + unlike(after, before)
}

const rosters = fc.record({
  nodes: fc.integer({ min: 1, max: 60 }),
  zones: fc.integer({ min: 1, max: 5 }),
  seed: fc.string({ minLength: 1 }),
})

describe('observers', () => {
  test('are K distinct others, or everybody else where there are fewer', () => {
    fc.assert(
      fc.property(rosters, (parts) => {
        const roster = sampleRoster(parts)
        for (const { node } of roster.members) {
          const observers = ringOf(roster).observersOf(node)
          expect(new Set(observers).size).toBe(Math.min(K, parts.nodes - 1))
          expect(observers).toHaveLength(Math.min(K, parts.nodes - 1))
          expect(observers).not.toContain(node)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('and subjects are the same edges seen from both ends', () => {
    const roster = sampleRoster({ nodes: 50 })
    const ring = ringOf(roster)
    for (const { node } of roster.members) {
      for (const subject of ring.subjectsOf(node)) expect(ring.observersOf(subject)).toContain(node)
      const both = new Set([...ring.observersOf(node), ...ring.subjectsOf(node)])
      expect(new Set(ring.neighboursOf(node))).toEqual(both)
    }
    expect(roster.members.flatMap(({ node }) => ring.subjectsOf(node))).toHaveLength(50 * K)
  })

  test.each(['first', 'second', 'third'])(
    'have an even load: nobody watches more than twice as many (seed %s)',
    (seed) => {
      const roster = sampleRoster({ nodes: 200, seed })
      const loads = roster.members.map(({ node }) => ringOf(roster).subjectsOf(node).length)
      expect(Math.max(...loads)).toBeLessThanOrEqual(2 * K)
      expect(Math.min(...loads)).toBeGreaterThanOrEqual(3)
    },
  )

  test('of a stranger are nobody', () => {
    const ring = ringOf(sampleRoster({ nodes: 5 }))
    expect([ring.observersOf('stranger'), ring.subjectsOf('stranger'), ring.neighboursOf('stranger')]).toEqual([
      [],
      [],
      [],
    ])
  })

  test('do not depend on the order of the members', () => {
    const roster = sampleRoster({ nodes: 40 })
    const reversed = { ...roster, members: roster.members.toReversed() }
    expect(edgesOf(reversed)).toEqual(edgesOf(roster))
  })

  test('depend on names and the seed, not on keys or addresses', () => {
    const roster = sampleRoster({ nodes: 40 })
    const rekeyed = roster.members.map((member) => ({
      ...member,
      peerId: `new-${member.node}`,
      serial: 9,
      meshPort: 1,
    }))
    expect(edgesOf({ ...roster, members: rekeyed })).toEqual(edgesOf(roster))
    expect(edgesOf({ ...roster, seed: 'another' })).not.toEqual(edgesOf(roster))
    const renamed = roster.members.map((member, index) => (index === 0 ? { ...member, node: 'renamed' } : member))
    expect(edgesOf({ ...roster, members: renamed })).not.toEqual(edgesOf(roster))
  })
})

describe('one change of a member', () => {
  // Its own 2K edges go or come, and each of its places on the K rings gives a neighbour a new one. The limit on zones
  // moves a few more. Of 1,000 edges, 8K = 80 would still be a small change; a placement that is not consistent moves most.
  const BOUND = 8 * K

  test.each([3, 31, 77])('moves a small part of the edges when node %i leaves or comes back', (index) => {
    const all = sampleRoster({ nodes: 100 })
    const without = { ...all, members: all.members.filter(({ node }) => node !== nodeName(index)) }
    const moved = differing(edgesOf(all), edgesOf(without))
    expect(moved).toBeGreaterThanOrEqual(2 * K)
    expect(moved).toBeLessThanOrEqual(BOUND)
  })
})

describe('zones', () => {
  const mostOfOneZone = (roster: Roster, ring: Ring, subject: string): number => {
    const zones = new Map(roster.members.map(({ node, zone }) => [node, zone]))
    const counts = Map.groupBy(ring.observersOf(subject), (observer) => zones.get(observer))
    return Math.max(...[...counts.values()].map((observers) => observers.length))
  }

  test.each([
    { zones: 3, perZone: 10 },
    { zones: 2, perZone: 20 },
    { zones: 5, perZone: 4 },
  ])("$zones × $perZone: none holds enough of a subject's observers to convict", ({ zones, perZone }) => {
    for (const seed of ['a', 'b', 'c']) {
      const roster = sampleRoster({ nodes: zones * perZone, zones, seed })
      for (const { node } of roster.members) {
        expect(mostOfOneZone(roster, ringOf(roster), node)).toBeLessThan(neededOf(K, K))
      }
    }
  })

  test('that are too few or too small for that still leave every subject its K observers', () => {
    const members = Array.from({ length: 30 }, (_, index) =>
      sampleMember(nodeName(index), index < 28 ? 'big' : 'small'),
    )
    const roster = rosterOf(members)
    for (const { node } of members) expect(ringOf(roster).observersOf(node)).toHaveLength(K)
  })
})

describe('contacts', () => {
  const { members } = sampleRoster({ nodes: 30 })

  test('are K distinct members, or all of a smaller mesh', () => {
    expect(new Set(contactsOf(members, [], seededRandom(1))).size).toBe(K)
    expect(contactsOf(members.slice(0, 4), [], seededRandom(1)).toSorted()).toEqual([0, 1, 2, 3].map(nodeName))
  })

  test('are kept when the members change, and only made up to K', () => {
    const kept = [nodeName(20), nodeName(7)]
    const contacts = contactsOf(members, kept, seededRandom(1))
    expect(contacts.slice(0, 2)).toEqual(kept)
    expect(new Set(contacts).size).toBe(K)
  })
})
