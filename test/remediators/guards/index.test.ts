import { describe, expect, test } from 'vitest'
import { evaluateGuards, retryAfterMs } from '../../../remediators/guards/index.ts'
import { readGuards } from '../../../remediators/guards/settings.ts'
import type { GuardView } from '../../../remediators/guards/view.ts'
import { endedOf, fleetOf, MINUTE_MS, NODE, NOW_MS, reaching, viewOf } from './views.ts'

const refusals = (parts: Partial<GuardView> = {}) =>
  evaluateGuards(viewOf(parts), readGuards())
    .filter(({ allowed }) => !allowed)
    .map(({ guard }) => guard)

describe('a fleet of which nothing is wrong but the one fault', () => {
  const plane = { roles: ['control-plane'], etcd: 'well' as const, isDown: true }

  test.each([1, 2, 3, 10])('of %i nodes is no hindrance, nor that its own node is down', (count) => {
    expect(refusals({ nodes: fleetOf(count) })).toEqual([])
    expect(refusals({ nodes: fleetOf(count, { [NODE]: { isDown: true } }) })).toEqual([])
    expect(refusals({ nodes: fleetOf(count, { [NODE]: plane }) })).toEqual([])
  })

  test('of one node bears what restarts a process, and no more', () => {
    const nodes = fleetOf(1, { [NODE]: plane })
    expect(refusals({ nodes, plan: reaching('none') })).toEqual([])
    expect(refusals({ nodes, plan: reaching('machine') })).toEqual(['etcd-quorum', 'budget-cluster'])
  })

  test('of three that are the control plane bears one at a time', () => {
    const well = { ...plane, isDown: false }
    const nodes = fleetOf(3, { 'node-1': plane, 'node-2': well, 'node-3': well })
    expect(refusals({ nodes })).toEqual([])
    expect(refusals({ nodes, plan: reaching('machine') })).toEqual([])
    expect(refusals({ nodes: fleetOf(3, { 'node-1': plane, 'node-2': plane, 'node-3': well }) })).toEqual([
      'control-plane-one-at-a-time',
      'etcd-quorum',
      'budget-cluster',
      'budget-zone',
      'budget-pool',
    ])
  })
})

test('of a fleet that nobody knows nothing is decided', () => {
  expect(refusals({ nodes: new Map(), faults: [] })).toContain('fresh-view')
})

test('a node waits for the longest rest, from a minute to an hour', () => {
  const no = (restMs: number) => ({ guard: 'pause', allowed: false, why: '', restMs })
  const yes = { guard: 'storm', allowed: true, why: '' }
  expect(retryAfterMs([no(1_000), yes])).toBe(60_000)
  expect(retryAfterMs([no(120_000), yes, no(300_000)])).toBe(300_000)
  expect(retryAfterMs([no(7_200_000)])).toBe(3_600_000)
})

test('it waits for the rest of a cool-down, and of a pause that ends', () => {
  const ended = [endedOf({ atMs: NOW_MS - 4 * MINUTE_MS })]
  expect(retryAfterMs(evaluateGuards(viewOf({ ended }), readGuards()))).toBe(6 * MINUTE_MS)
  const scope = { kind: 'all' } as const
  const pauses = [{ scope, by: 'ada', reason: 'moving racks', until: '', untilMs: NOW_MS + 25 * MINUTE_MS }]
  expect(retryAfterMs(evaluateGuards(viewOf({ pauses, ended }), readGuards()))).toBe(25 * MINUTE_MS)
})
