/** The containers of a node as they are told to the aggregator, from the ring that the usage meter fills. */
import { expect, it } from 'vitest'
import { UsageRing } from '../../detectors/usage/ring.ts'
import { containersOf } from '../../node-agent/measures/containers.ts'

const MEBI = 1_048_576
const SIZE = { processors: 4, memoryBytes: 1_024 * MEBI }

it('are in percent: of all processors, and of the limit or else of the memory of the node', () => {
  const ring = new UsageRing()
  ring.keep(
    29_000_000,
    new Map([
      ['node', { cpu: 4_000 }],
      ['service/ssh', { cpu: 50, memory: MEBI }],
      ['container/shop/api-7f/app', { cpu: 1_000, memory: 64 * MEBI, limit: 128 * MEBI }],
      ['container/shop/db-0/db', { memory: 256 * MEBI }],
      ['container/shop/odd/odd', { cpu: 9_000, memory: 2_048 * MEBI, limit: 4_096 * MEBI }],
    ]),
  )
  const { minute, containers } = containersOf(ring, SIZE)
  expect(minute).toBe(29_000_000)
  const rounded = containers.map(({ name, figures }) => [
    name,
    Object.fromEntries(Object.entries(figures).map(([figure, value]) => [figure, Math.round(value)])),
  ])
  expect(Object.fromEntries(rounded)).toEqual({
    'shop/api-7f/app': { cpu: 25, memory: 50 },
    'shop/db-0/db': { memory: 25 },
    'shop/odd/odd': { cpu: 100, memory: 100 },
  })
})

it('are not told before anything is known of the node, nor when they have ended', () => {
  const ring = new UsageRing()
  expect(containersOf(ring, SIZE)).toEqual({ minute: 0, containers: [] })
  ring.keep(1, new Map([['container/a/b/c', { cpu: 10, memory: MEBI }]]))
  expect(containersOf(ring, { processors: 0, memoryBytes: 0 }).containers).toEqual([])
  ring.keep(2, new Map([['node', { cpu: 1 }]]))
  expect(containersOf(ring, SIZE)).toEqual({ minute: 2, containers: [] })
})
