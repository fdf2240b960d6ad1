/** Ways that hints take through the ring: short, around what is in question, and apart from each other. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ringOf } from '../../mesh/core/ring.ts'
import { routesTo } from '../../mesh/core/route.ts'
import { nodeName, sampleRoster } from './sample-mesh.ts'

const anyJourneys = fc
  .record({ nodes: fc.integer({ min: 5, max: 200 }), seed: fc.string({ minLength: 1, maxLength: 4 }) })
  .chain(({ nodes, seed }) => {
    const node = fc.integer({ min: 0, max: nodes - 1 }).map(nodeName)
    const ends = fc.uniqueArray(node, { minLength: 2, maxLength: 2 }).map(([from = '', to = '']) => ({ from, to }))
    const parts = fc.record({ avoid: fc.array(node, { maxLength: 12 }), count: fc.integer({ min: 1, max: 3 }) })
    const journey = fc.tuple(ends, parts).map(([between, how]) => ({ ...between, ...how }))
    return fc.record({
      ring: fc.constant(ringOf(sampleRoster({ nodes, seed }))),
      journeys: fc.array(journey, { minLength: 10, maxLength: 20 }),
    })
  })

describe('routes', () => {
  test('follow edges to their end in at most four hops, avoid whom they should, and share nobody on the way', () => {
    fc.assert(
      fc.property(anyJourneys, ({ ring, journeys }) => {
        for (const { from, to, avoid, count } of journeys) {
          const around = new Set(avoid.filter((node) => node !== from && node !== to))
          const ways = routesTo(ring, from, to, around, count)
          expect(ways.length).toBeLessThanOrEqual(count)
          const relays = ways.flatMap((way) => way.slice(0, -1))
          expect(new Set(relays).size).toBe(relays.length)
          for (const way of ways) {
            expect(way.at(-1)).toBe(to)
            expect(way.length).toBeLessThanOrEqual(4)
            for (const [index, hop] of way.entries()) {
              expect(around.has(hop)).toBe(false)
              expect(hop).not.toBe(from)
              expect(ring.neighboursOf(way[index - 1] ?? from)).toContain(hop)
            }
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('are two between any two observers of a subject that share no edge, around that subject, and one where they do', () => {
    const ring = ringOf(sampleRoster({ nodes: 200 }))
    const [subject = ''] = ring.subjectsOf(nodeName(0))
    for (const observer of ring.observersOf(subject).filter((node) => node !== nodeName(0))) {
      const isNeighbour = ring.neighboursOf(nodeName(0)).includes(observer)
      expect(routesTo(ring, nodeName(0), observer, new Set([subject]), 2)).toHaveLength(isNeighbour ? 1 : 2)
    }
  })

  test('that would have to pass what is in question do not exist', () => {
    const roster = sampleRoster({ nodes: 40 })
    const ring = ringOf(roster)
    const near = new Set(ring.neighboursOf(nodeName(0)))
    const { node: far = '' } = roster.members.find(({ node }) => node !== nodeName(0) && !near.has(node)) ?? {}
    expect(routesTo(ring, nodeName(0), far, new Set(), 2)).toHaveLength(2)
    expect(routesTo(ring, nodeName(0), far, near, 2)).toEqual([])
  })

  test('that all have one node in common are one', () => {
    const ring = ringOf(sampleRoster({ nodes: 40 }))
    const near = ring.neighboursOf(nodeName(0))
    const [, way = []] = routesTo(ring, nodeName(0), nodeName(39), new Set(), 2)
    const [only = ''] = way
    expect(near).toContain(only)
    expect(routesTo(ring, nodeName(0), nodeName(39), new Set(near.filter((node) => node !== only)), 2)).toHaveLength(1)
  })
})
