import { expect, test } from 'vitest'
import { restrained } from '../../../remediators/guards/restrained.ts'
import { ask, fleetOf, reaching } from './views.ts'

test('a leader that may decide is no hindrance', () => {
  expect(ask(restrained)).toEqual({ allowed: true, why: 'the leader may decide' })
})

test.each(['none', 'process', 'machine'] as const)('one that may not permits nothing, of reach %s either', (reach) => {
  expect(ask(restrained, { restrained: 'a freeze, 12 of 40 nodes in question', plan: reaching(reach) })).toEqual({
    allowed: false,
    why: 'the leader may decide nothing now: a freeze, 12 of 40 nodes in question',
    restMs: 60_000,
  })
})

test('nor on an only node', () => {
  expect(ask(restrained, { restrained: 'no quorum', nodes: fleetOf(1) })).toMatchObject({ allowed: false })
})
