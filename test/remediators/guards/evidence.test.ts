import { expect, test } from 'vitest'
import { evidence } from '../../../remediators/guards/evidence.ts'
import { ask, faultOf, NODE, planOf, viewOf } from './views.ts'

test('the plan is the known one, and its fault stands', () => {
  expect(ask(evidence)).toEqual({ allowed: true, why: 'node-1 reports KubeletDown' })
})

const other = 'b'.repeat(64)
test.each([
  ['the id', { planId: 'fix-2' }],
  ['the node', { node: 'node-2' }],
  ['the plan', { planHash: other }],
  ['the evidence', { evidenceHash: other }],
])('a request in which %s differs is not for that plan', (what, parts) => {
  expect(ask(evidence, { request: { ...viewOf().request, ...parts } })).toMatchObject({
    allowed: false,
    why: `the request is not for the plan that the leader knows: ${what} differs`,
  })
})

test.each([
  ['nothing is', []],
  ['it is of another node', [faultOf('node-2')]],
  ['it is another', [faultOf(NODE, { reason: 'RuntimeDown' })]],
  ['it has another cause', [faultOf(NODE, { cause: '/var' })]],
])('a fault that is not reported is not mended: %s', (_, faults) => {
  expect(ask(evidence, { faults })).toEqual({
    allowed: false,
    why: 'node-1 does not report KubeletDown any more',
    restMs: 60_000,
  })
})

test('nor is one that is held', () => {
  const plan = planOf({ reason: 'DiskAlmostFull', cause: '/var' })
  const faults = [faultOf(NODE, { reason: 'DiskAlmostFull', cause: '/var', held: 'it is clearing' })]
  expect(ask(evidence, { plan, faults })).toMatchObject({
    allowed: false,
    why: 'DiskAlmostFull (/var) of node-1 does not count now: it is clearing',
  })
})
