import { expect, test } from 'vitest'
import { etcdQuorum } from '../../../remediators/guards/etcd-quorum.ts'
import type { NodeFacts } from '../../../remediators/guards/view.ts'
import { ask, fleetOf, permitOf, reaching } from './views.ts'

/** As many members of etcd as states are given, on node-1, node-2 and so on, and two nodes without one. */
const members = (...states: (Partial<NodeFacts> | 'well' | 'unwell')[]) =>
  fleetOf(
    states.length + 2,
    Object.fromEntries(
      states.map((state, index) => [
        `node-${index + 1}`,
        typeof state === 'string' ? { etcd: state } : { etcd: 'well' as const, ...state },
      ]),
    ),
  )

test('a majority is left of three', () => {
  expect(ask(etcdQuorum, { nodes: members('well', 'well', 'well') })).toEqual({
    allowed: true,
    why: '2 of 3 members of etcd would be well, and 2 must be',
  })
})

test('a member that is unwell itself may be mended', () => {
  expect(ask(etcdQuorum, { nodes: members('unwell', 'well', 'well') })).toMatchObject({ allowed: true })
})

test.each([
  ['unwell', 'unwell' as const],
  ['down', { isDown: true }],
  ['taken', { takenBy: 'rebooting' }],
])('no majority is left while another of three is %s', (_, state) => {
  expect(ask(etcdQuorum, { nodes: members('well', state, 'well') })).toEqual({
    allowed: false,
    why: '1 of 3 members of etcd would be well, and 2 must be',
    restMs: 120_000,
  })
})

test('nor while we are at work on another, unless that stops no process', () => {
  const nodes = members('well', 'well', 'well')
  expect(ask(etcdQuorum, { nodes, outstanding: [permitOf('node-2')] })).toMatchObject({ allowed: false })
  expect(ask(etcdQuorum, { nodes, outstanding: [permitOf('node-2', { reach: 'none' })] })).toMatchObject({
    allowed: true,
  })
})

test.each([
  [2, 0, false],
  [4, 0, true],
  [4, 1, false],
  [5, 1, true],
  [5, 2, false],
  [7, 2, true],
])('of %i members with %i others unwell: %s', (count, unwell, allowed) => {
  const states = Array.from({ length: count }, (_, index) => (index >= 1 && index <= unwell ? 'unwell' : 'well'))
  expect(ask(etcdQuorum, { nodes: members(...states) })).toMatchObject({ allowed })
})

test.each([
  ['none', true],
  ['process', true],
  ['host', false],
  ['machine', false],
] as const)('an only member bears reach %s: %s', (reach, allowed) => {
  expect(ask(etcdQuorum, { nodes: members('well'), plan: reaching(reach) })).toMatchObject({ allowed })
  expect(ask(etcdQuorum, { nodes: fleetOf(1, { 'node-1': { etcd: 'well' } }), plan: reaching(reach) })).toMatchObject({
    allowed,
  })
})

test('a node without a member is no concern of etcd, nor what stops no process', () => {
  expect(ask(etcdQuorum, { nodes: fleetOf(3, { 'node-2': { etcd: 'unwell' } }) })).toMatchObject({ allowed: true })
  expect(ask(etcdQuorum, { nodes: members('well', 'unwell', 'unwell'), plan: reaching('none') })).toMatchObject({
    allowed: true,
  })
})

test('what is no member of the mesh is refused', () => {
  expect(ask(etcdQuorum, { nodes: new Map() })).toMatchObject({ allowed: false })
})
