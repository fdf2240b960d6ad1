import { expect, test } from 'vitest'
import { oneOwner } from '../../../remediators/guards/one-owner.ts'
import { ask, fleetOf, NODE, permitOf, planOf, reaching } from './views.ts'

test.each([1, 2, 3])('of %i nodes nobody has one in hand', (count) => {
  expect(ask(oneOwner, { nodes: fleetOf(count) })).toEqual({ allowed: true, why: 'nobody has node-1 in hand' })
})

test('a node that somebody else has in hand is left to them', () => {
  expect(ask(oneOwner, { nodes: fleetOf(3, { [NODE]: { takenBy: 'it is cordoned' } }) })).toEqual({
    allowed: false,
    why: 'somebody else has node-1 in hand: it is cordoned',
    restMs: 300_000,
  })
})

test('but for what stops no process', () => {
  const nodes = fleetOf(3, { [NODE]: { takenBy: 'it is cordoned' } })
  expect(ask(oneOwner, { nodes, plan: reaching('none') })).toEqual({
    allowed: true,
    why: 'it is cordoned, and the fix stops no process',
  })
})

test.each(['none', 'process'] as const)('one plan of ours at a time, of reach %s either', (reach) => {
  const outstanding = [permitOf(NODE, { reach: 'none', remediator: 'sysctl', planId: 'fix-9' })]
  expect(ask(oneOwner, { outstanding, plan: reaching(reach) })).toEqual({
    allowed: false,
    why: 'sysctl is at work on node-1, with plan fix-9',
    restMs: 60_000,
  })
})

test('a node that asks anew for the plan it was granted did not hear of it', () => {
  expect(ask(oneOwner, { outstanding: [permitOf(NODE, { planId: planOf().id })] })).toMatchObject({ allowed: true })
})

test('what others have in hand is theirs', () => {
  const nodes = fleetOf(3, { 'node-2': { takenBy: 'draining' } })
  expect(ask(oneOwner, { nodes, outstanding: [permitOf('node-3')] })).toMatchObject({ allowed: true })
})
