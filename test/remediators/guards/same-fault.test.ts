import { expect, test } from 'vitest'
import { sameFault, systemicFrom } from '../../../remediators/guards/same-fault.ts'
import { ask, endedOf, faultOf, fleetOf, HOUR_MS, MINUTE_MS, NOW_MS, reaching } from './views.ts'

/** KubeletDown on node-1, node-2 and so on, begun so many minutes ago. */
const begun = (...minutesAgo: number[]) =>
  minutesAgo.map((ago, index) => faultOf(`node-${index + 1}`, { sinceMs: NOW_MS - ago * MINUTE_MS }))

test.each([
  [1, 2],
  [2, 2],
  [3, 3],
  [4, 3],
  [30, 3],
  [31, 4],
  [1_000, 100],
])('of %i nodes %i with one fault are systemic', (size, from) => {
  expect(systemicFrom({ percent: 10, nodes: 3 }, size)).toBe(from)
})

test('a fault of one node is its own', () => {
  expect(ask(sameFault)).toEqual({
    allowed: true,
    why: '1 of 10 nodes got KubeletDown within 10m, and 3 would be systemic',
  })
  expect(ask(sameFault, { nodes: fleetOf(1) })).toMatchObject({ allowed: true })
})

test.each(['none', 'process'] as const)('one of many is systemic, and not mended: reach %s', (reach) => {
  expect(ask(sameFault, { faults: begun(5, 9, 1), plan: reaching(reach) })).toEqual({
    allowed: false,
    why: '3 of 10 nodes got KubeletDown within 10m: from 3 on it is systemic, and people are to look; once they have: starling remediations release --fault KubeletDown --reason TEXT',
    restMs: 600_000,
  })
  expect(ask(sameFault, { faults: begun(5, 9) })).toMatchObject({ allowed: true })
})

test('of a tiny fleet all are many', () => {
  expect(ask(sameFault, { faults: begun(1, 1), nodes: fleetOf(2) })).toMatchObject({ allowed: false })
  expect(ask(sameFault, { faults: begun(1, 1), nodes: fleetOf(3) })).toMatchObject({ allowed: true })
  expect(ask(sameFault, { faults: begun(1, 1, 1), nodes: fleetOf(3) })).toMatchObject({ allowed: false })
})

test('it goes by when they began, the time itself included, before or after', () => {
  expect(ask(sameFault, { faults: begun(20, 10, 15) })).toMatchObject({ allowed: false })
  expect(ask(sameFault, { faults: begun(20, 9, 15) })).toMatchObject({ allowed: true })
  expect(ask(sameFault, { faults: begun(10, 20, 15) })).toMatchObject({ allowed: false })
  expect(ask(sameFault, { faults: begun(15, 21, 9) })).toMatchObject({ allowed: true })
})

test('to wait does not make it any less systemic', () => {
  expect(ask(sameFault, { faults: begun(3_005, 3_009, 3_001) })).toMatchObject({ allowed: false })
})

test('a node with the fault twice is one node, and another fault is another', () => {
  const twice = [...begun(5, 5), faultOf('node-2', { cause: '/var' })]
  expect(ask(sameFault, { faults: twice })).toMatchObject({ allowed: true })
  expect(ask(sameFault, { faults: [...begun(5, 5), faultOf('node-3', { reason: 'RuntimeDown' })] })).toMatchObject({
    allowed: true,
  })
})

test('what was mended a moment ago counts as well, and what nobody touched does not', () => {
  const ended = [endedOf({ node: 'node-3', atMs: NOW_MS - 2 * MINUTE_MS })]
  expect(ask(sameFault, { faults: begun(5, 5), ended })).toMatchObject({ allowed: false })
  expect(ask(sameFault, { faults: begun(5, 5), ended: [endedOf({ ...ended[0], phase: 'withdrawn' })] })).toMatchObject({
    allowed: true,
  })
})

test('a person who has looked releases the reason, but for nodes that get it afterwards', () => {
  const release = (kind: 'reason' | 'pool', name: string, minutesAgo: number) => ({
    faults: begun(5, 9, 1),
    releases: [{ scope: { kind, name }, by: 'ada', atMs: NOW_MS - minutesAgo * MINUTE_MS }],
  })
  expect(ask(sameFault, release('reason', 'KubeletDown', 1))).toMatchObject({ allowed: true })
  expect(ask(sameFault, release('reason', 'KubeletDown', 5))).toMatchObject({ allowed: true })
  expect(ask(sameFault, release('reason', 'KubeletDown', 10))).toMatchObject({ allowed: false })
  expect(ask(sameFault, release('reason', 'RuntimeDown', 1))).toMatchObject({ allowed: false })
  expect(ask(sameFault, release('pool', 'KubeletDown', 1))).toMatchObject({ allowed: false })
  const all = { faults: begun(5, 9, 1), releases: [{ scope: { kind: 'all' }, by: 'ada', atMs: NOW_MS } as const] }
  expect(ask(sameFault, all)).toMatchObject({ allowed: true })
})

test('of a fault that is not reported any more the others count from now on back', () => {
  expect(ask(sameFault, { faults: begun(5, 5, 5).slice(1) })).toMatchObject({ allowed: false })
  expect(ask(sameFault, { faults: [faultOf('node-2', { sinceMs: NOW_MS - HOUR_MS })] })).toMatchObject({
    allowed: true,
  })
})

test('settings say how many, and within what', () => {
  expect(ask(sameFault, { faults: begun(5, 5) }, { sameFault: { nodes: 2 } })).toMatchObject({ allowed: false })
  expect(ask(sameFault, { faults: begun(5, 9, 1) }, { sameFault: { percent: 40 } })).toMatchObject({ allowed: true })
  expect(ask(sameFault, { faults: begun(5, 9, 1) }, { sameFault: { within: '3m' } })).toMatchObject({ allowed: true })
  expect(ask(sameFault, { faults: begun(5) }, { sameFault: { nodes: 1, percent: 1 } })).toMatchObject({ allowed: true })
})
