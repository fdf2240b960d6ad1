import { expect, test } from 'vitest'
import { controlPlaneOneAtATime } from '../../../remediators/guards/control-plane-one-at-a-time.ts'
import type { NodeFacts } from '../../../remediators/guards/view.ts'
import { ask, fleetOf, permitOf, reaching } from './views.ts'

const plane = { roles: ['control-plane'] }

/** Of so many nodes the first three are the control plane, with what is said of them. */
const planes = (count: number, facts: Readonly<Record<string, Partial<NodeFacts>>> = {}) =>
  fleetOf(count, {
    'node-1': { ...plane, ...facts['node-1'] },
    'node-2': { ...plane, ...facts['node-2'] },
    'node-3': { ...plane, ...facts['node-3'] },
    ...(facts['node-4'] === undefined ? {} : { 'node-4': facts['node-4'] }),
  })

test.each([1, 2, 3, 5])('one of the control plane may be mended, of %i nodes', (count) => {
  expect(ask(controlPlaneOneAtATime, { nodes: planes(count) })).toMatchObject({ allowed: true })
})

test.each([
  ['down', { isDown: true }, 'down'],
  ['taken', { takenBy: 'draining' }, 'draining'],
  ['down, and called by its old role', { isDown: true, roles: ['master'] }, 'down'],
])('not while another is %s', (_, facts, why) => {
  expect(ask(controlPlaneOneAtATime, { nodes: planes(5, { 'node-3': facts }) })).toEqual({
    allowed: false,
    why: `1 of the 2 other nodes of the control plane is disrupted: node-3 (${why})`,
    restMs: 120_000,
  })
})

test('nor while we are at work on another, unless that stops no process', () => {
  const nodes = planes(3)
  expect(ask(controlPlaneOneAtATime, { nodes, outstanding: [permitOf('node-2')] })).toMatchObject({ allowed: false })
  expect(ask(controlPlaneOneAtATime, { nodes, outstanding: [permitOf('node-2', { reach: 'none' })] })).toMatchObject({
    allowed: true,
  })
})

test('its own state is no hindrance, nor that of a worker', () => {
  const nodes = planes(5, { 'node-1': { isDown: true }, 'node-4': { isDown: true } })
  expect(ask(controlPlaneOneAtATime, { nodes, outstanding: [permitOf('node-5')] })).toMatchObject({ allowed: true })
})

test('what stops no process passes, and so does a worker', () => {
  const nodes = planes(5, { 'node-2': { isDown: true } })
  expect(ask(controlPlaneOneAtATime, { nodes, plan: reaching('none') })).toMatchObject({ allowed: true })
  const workers = fleetOf(5, { 'node-2': { ...plane, isDown: true } })
  expect(ask(controlPlaneOneAtATime, { nodes: workers })).toMatchObject({ allowed: true })
})

test('what is no member is refused', () => {
  expect(ask(controlPlaneOneAtATime, { nodes: new Map() })).toMatchObject({ allowed: false })
})
