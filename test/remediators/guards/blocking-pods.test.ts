import { expect, test } from 'vitest'
import { blockingPods } from '../../../remediators/guards/blocking-pods.ts'
import { ask, fleetOf, NODE, reaching } from './views.ts'

const nodes = fleetOf(3, { [NODE]: { blockingPods: ['db/backup-1', 'db/backup-2', 'db/backup-3', 'db/backup-4'] } })

test('none runs here, whatever runs elsewhere', () => {
  const elsewhere = fleetOf(3, { 'node-2': { blockingPods: ['db/backup-1'] } })
  expect(ask(blockingPods, { nodes: elsewhere })).toEqual({ allowed: true, why: '0 blocking pods on node-1' })
})

test('a node on which one runs is not disturbed', () => {
  expect(ask(blockingPods, { nodes })).toEqual({
    allowed: false,
    why: '4 blocking pods on node-1: db/backup-1, db/backup-2, db/backup-3 and 1 more',
    restMs: 300_000,
  })
})

test('what stops no process disturbs none', () => {
  expect(ask(blockingPods, { nodes, plan: reaching('none') })).toMatchObject({ allowed: true })
})

test('what is no member is refused', () => {
  expect(ask(blockingPods, { nodes: new Map() })).toMatchObject({ allowed: false })
})
