import { expect, test } from 'vitest'
import type { NodeFacts } from '../../../remediators/guards/view.ts'
import { zoneState } from '../../../remediators/guards/zone-state.ts'
import { ask, fleetOf, nodeOf, permitOf, reaching } from './views.ts'

/** So many nodes of zone a, node-1 among them, the last so many of which are down; and so many of zone b, all well. */
function zones(inA: number, downInA: number, inB: number): ReadonlyMap<string, NodeFacts> {
  const down = Array.from({ length: downInA }, (_, index) => [`node-${inA - index}`, { isDown: true }] as const)
  const b = Array.from({ length: inB }, (_, index) => [`other-${index + 1}`, nodeOf({ zone: 'b' })] as const)
  return new Map([...fleetOf(inA, Object.fromEntries(down)), ...b])
}

test('a zone in which all is well', () => {
  expect(ask(zoneState)).toEqual({ allowed: true, why: '0 of 10 nodes of zone a are unhealthy' })
})

test('a zone is partial from 55 % on, and a small cluster stops there', () => {
  expect(ask(zoneState, { nodes: zones(20, 10, 5) })).toEqual({
    allowed: true,
    why: '10 of 20 nodes of zone a are unhealthy',
  })
  expect(ask(zoneState, { nodes: zones(20, 11, 5) })).toEqual({
    allowed: false,
    why: '11 of 20 nodes of zone a are unhealthy, 55 % or more, in a cluster of only 25 nodes',
    restMs: 300_000,
  })
})

test('but not for what stops no process', () => {
  expect(ask(zoneState, { nodes: zones(20, 20, 5), plan: reaching('none') })).toMatchObject({ allowed: true })
})

test('one or two unhealthy nodes say nothing of a zone', () => {
  expect(ask(zoneState, { nodes: zones(1, 1, 0) })).toMatchObject({ allowed: true })
  expect(ask(zoneState, { nodes: zones(2, 2, 0) })).toMatchObject({ allowed: true })
  expect(ask(zoneState, { nodes: zones(2, 2, 3) })).toMatchObject({ allowed: true })
  expect(ask(zoneState, { nodes: zones(5, 3, 0) })).toMatchObject({ allowed: false })
})

test('50 nodes are small, 51 are not', () => {
  expect(ask(zoneState, { nodes: zones(20, 11, 30) })).toMatchObject({ allowed: false })
  expect(ask(zoneState, { nodes: zones(20, 11, 31) })).toEqual({
    allowed: true,
    why: '11 of 20 nodes of zone a are unhealthy, and no other fix is under way there',
  })
})

test('a large one mends one node at a time in such a zone', () => {
  const nodes = zones(20, 11, 31)
  expect(ask(zoneState, { nodes, outstanding: [permitOf('node-2')] })).toEqual({
    allowed: false,
    why: '11 of 20 nodes of zone a are unhealthy, so one fix at a time: node-2 is in the hands of restart-unit',
    restMs: 300_000,
  })
  expect(ask(zoneState, { nodes, outstanding: [permitOf('other-1')] })).toMatchObject({ allowed: true })
  expect(ask(zoneState, { nodes, outstanding: [permitOf('node-2', { reach: 'none' })] })).toMatchObject({
    allowed: true,
  })
})

test('and none in a zone without a healthy node', () => {
  expect(ask(zoneState, { nodes: zones(20, 20, 31) })).toMatchObject({
    allowed: false,
    why: '20 of 20 nodes of zone a are unhealthy, all of it',
  })
})

test.each(['none', 'process'] as const)('once no node of any zone is healthy all is stopped, reach %s too', (reach) => {
  const down = { isDown: true }
  const nodes = new Map([
    ['node-1', nodeOf({ zone: 'a', ...down })],
    ['node-2', nodeOf({ zone: 'b', ...down })],
    ['node-3', nodeOf({ zone: 'c', ...down })],
  ])
  expect(ask(zoneState, { nodes, plan: reaching(reach) })).toMatchObject({
    allowed: false,
    why: 'none of 3 nodes is healthy in any zone: nobody may be seeing right',
  })
  nodes.delete('node-3')
  expect(ask(zoneState, { nodes, plan: reaching(reach) })).toMatchObject({ allowed: true })
})

test('settings say what is unhealthy and what is small', () => {
  expect(ask(zoneState, { nodes: zones(20, 10, 5) }, { zones: { unhealthyPercent: 50 } })).toMatchObject({
    allowed: false,
  })
  expect(ask(zoneState, { nodes: zones(20, 11, 5) }, { zones: { smallCluster: 0 } })).toMatchObject({ allowed: true })
})

test('what is no member is in no zone', () => {
  expect(ask(zoneState, { nodes: new Map() })).toMatchObject({ allowed: false })
})
