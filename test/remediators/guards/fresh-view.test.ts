import { expect, test } from 'vitest'
import { freshView } from '../../../remediators/guards/fresh-view.ts'
import { ask, fleetOf, planOf, reaching } from './views.ts'

test.each([1, 2, 3])('of %i nodes all was read', (count) => {
  expect(ask(freshView, { nodes: fleetOf(count) })).toMatchObject({ allowed: true })
})

test.each(['none', 'process'] as const)('what could not be read decides nothing, for reach %s either', (reach) => {
  expect(ask(freshView, { stale: 'listing nodes took longer than 2s', plan: reaching(reach) })).toEqual({
    allowed: false,
    why: 'the cluster could not be read as of now: listing nodes took longer than 2s',
    restMs: 60_000,
  })
})

test('of a node that is no member nothing is known', () => {
  const verdict = { allowed: false, why: 'stranger is no member of the mesh' }
  expect(ask(freshView, { plan: planOf({ node: 'stranger' }) })).toMatchObject(verdict)
  expect(ask(freshView, { plan: planOf({ node: 'stranger' }), nodes: new Map() })).toMatchObject(verdict)
})
