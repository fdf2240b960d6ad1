import { expect, test } from 'vitest'
import type { RemediationPhase } from '../../../remediators/contract.ts'
import { stopOnFailure } from '../../../remediators/guards/stop-on-failure.ts'
import type { Release } from '../../../remediators/guards/view.ts'
import { ask, endedOf, fleetOf, HOUR_MS, NODE, NOW_MS, reaching } from './views.ts'

const failedOn = (node: string, hoursAgo = 1) => endedOf({ node, phase: 'reverted', atMs: NOW_MS - hoursAgo * HOUR_MS })

const released = (scope: Release['scope'], hoursAgo: number): Release => ({
  scope,
  by: 'ada',
  atMs: NOW_MS - hoursAgo * HOUR_MS,
})

test.each([1, 2, 3])('a pool of %i nodes in which nothing failed goes on', (count) => {
  const ended = [endedOf(), endedOf({ node: 'node-2', phase: 'withdrawn' })]
  expect(ask(stopOnFailure, { nodes: fleetOf(count), ended })).toEqual({
    allowed: true,
    why: 'fixes failed lately on 0 nodes of pool main, and 1 would stop it',
  })
})

test.each(['none', 'process'] as const)('one that failed stops the pool for a day, for reach %s too', (reach) => {
  expect(ask(stopOnFailure, { ended: [failedOn('node-2')], plan: reaching(reach) })).toEqual({
    allowed: false,
    why: 'fixes failed lately on 1 node of pool main: restart-unit on node-2 reverted; stopped for 23h, or until starling remediations release --pool main --reason TEXT',
    restMs: 23 * HOUR_MS,
  })
  expect(ask(stopOnFailure, { ended: [failedOn('node-2', 24)] })).toMatchObject({ allowed: true })
})

test.each(['no-effect', 'failed', 'reverted', 'revert-failed', 'escalated'])('%s is a failure', (phase) => {
  const ended = [endedOf({ node: 'node-2', phase: phase as RemediationPhase })]
  expect(ask(stopOnFailure, { ended })).toMatchObject({ allowed: false })
})

test.each([
  ['reverted', true],
  ['no-effect', true],
  ['failed', true],
  ['revert-failed', false],
  ['escalated', false],
])('after %s the ladder of that fault may go on: %s', (phase, allowed) => {
  const ended = [endedOf({ phase: phase as RemediationPhase })]
  expect(ask(stopOnFailure, { ended })).toMatchObject({ allowed })
})

test('another fault of that node may not be mended', () => {
  expect(ask(stopOnFailure, { ended: [endedOf({ phase: 'reverted', reason: 'RuntimeDown' })] })).toMatchObject({
    allowed: false,
  })
})

test('another pool is no concern of it, and the nodes in none are together', () => {
  const elsewhere = [{ ...failedOn('node-2'), pool: 'gpu' }]
  expect(ask(stopOnFailure, { ended: elsewhere })).toMatchObject({ allowed: true })
  const nodes = fleetOf(3, { [NODE]: { pool: undefined } })
  expect(ask(stopOnFailure, { nodes, ended: elsewhere })).toMatchObject({ allowed: true })
  expect(ask(stopOnFailure, { nodes, ended: [{ ...failedOn('node-2'), pool: undefined }] })).toMatchObject({
    allowed: false,
  })
})

test('a node that was replaced leaves its failure to the pool', () => {
  expect(ask(stopOnFailure, { nodes: fleetOf(1), ended: [failedOn('node-2')] })).toMatchObject({ allowed: false })
})

test('a release lets the pool go on, but for what fails after it', () => {
  const ended = [failedOn('node-2', 2)]
  const pool = { kind: 'pool', name: 'main' } as const
  expect(ask(stopOnFailure, { ended, releases: [released(pool, 1)] })).toMatchObject({ allowed: true })
  expect(ask(stopOnFailure, { ended, releases: [released(pool, 2)] })).toMatchObject({ allowed: true })
  expect(ask(stopOnFailure, { ended, releases: [released(pool, 3)] })).toMatchObject({ allowed: false })
  expect(ask(stopOnFailure, { ended, releases: [released({ kind: 'all' }, 1)] })).toMatchObject({ allowed: true })
  expect(ask(stopOnFailure, { ended, releases: [released({ kind: 'pool', name: 'gpu' }, 1)] })).toMatchObject({
    allowed: false,
  })
  expect(ask(stopOnFailure, { ended, releases: [released({ kind: 'reason', name: 'main' }, 1)] })).toMatchObject({
    allowed: false,
  })
})

test('settings say on how many different nodes, and for how long', () => {
  const settings = { stopOnFailure: { nodes: 2, for: '3h' } } as const
  expect(ask(stopOnFailure, { ended: [failedOn('node-2', 2), failedOn('node-2', 1)] }, settings)).toMatchObject({
    allowed: true,
  })
  expect(ask(stopOnFailure, { ended: [failedOn('node-2', 2), failedOn('node-3', 1)] }, settings)).toMatchObject({
    allowed: false,
    restMs: HOUR_MS,
  })
  expect(ask(stopOnFailure, { ended: [failedOn('node-2', 3), failedOn('node-3', 1)] }, settings)).toMatchObject({
    allowed: true,
  })
})
