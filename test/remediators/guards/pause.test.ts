import { expect, test } from 'vitest'
import { pause } from '../../../remediators/guards/pause.ts'
import type { Pause } from '../../../remediators/guards/view.ts'
import { ask, fleetOf, MINUTE_MS, NODE, NOW_MS, planOf, reaching } from './views.ts'

const pauseOf = (scope: Pause['scope'], restMs = 30 * MINUTE_MS): Pause => ({
  scope,
  by: 'ada',
  reason: 'moving racks',
  until: '2026-01-05T04:30:00Z',
  untilMs: NOW_MS + restMs,
})

test('without a pause nothing is in the way', () => {
  expect(ask(pause)).toEqual({ allowed: true, why: 'nothing is paused here' })
})

test.each([
  [{ kind: 'all' } as const, 'everything'],
  [{ kind: 'pool', name: 'main' } as const, 'pool main'],
  [{ kind: 'node', name: NODE } as const, 'node node-1'],
])('one of %j is, until it ends', (scope, text) => {
  expect(ask(pause, { pauses: [pauseOf(scope)], plan: reaching('none') })).toEqual({
    allowed: false,
    why: `paused for 30m: ${text} by ada until 2026-01-05T04:30:00Z (moving racks)`,
    restMs: 30 * MINUTE_MS,
  })
  expect(ask(pause, { pauses: [pauseOf(scope, 1)] })).toMatchObject({ allowed: false })
  expect(ask(pause, { pauses: [pauseOf(scope, 0)] })).toMatchObject({ allowed: true })
})

test.each([
  { kind: 'pool', name: 'gpu' } as const,
  { kind: 'node', name: 'node-2' } as const,
  { kind: 'pool', name: NODE } as const,
])('one of %j is not: it is for others', (scope) => {
  expect(ask(pause, { pauses: [pauseOf(scope)] })).toMatchObject({ allowed: true })
})

test('a pause of all nodes holds for a node that is in no pool, or no member', () => {
  const pauses = [pauseOf({ kind: 'all' })]
  expect(ask(pause, { pauses, nodes: fleetOf(1, { [NODE]: { pool: undefined } }) })).toMatchObject({ allowed: false })
  expect(ask(pause, { pauses, plan: planOf({ node: 'stranger' }) })).toMatchObject({ allowed: false })
})

test('of several the last to end counts', () => {
  const pauses = [pauseOf({ kind: 'all' }, MINUTE_MS), pauseOf({ kind: 'node', name: NODE }, 5 * MINUTE_MS)]
  expect(ask(pause, { pauses })).toMatchObject({ allowed: false, restMs: 5 * MINUTE_MS })
})
