import { expect, test } from 'vitest'
import { storm, stormAbove } from '../../../remediators/guards/storm.ts'
import { ask, fleetOf, MINUTE_MS, NOW_MS, reaching } from './views.ts'

/** node-1, node-2 and so on first asked so many minutes ago. */
const asked = (...minutesAgo: number[]) =>
  minutesAgo.map((ago, index) => ({
    node: `node-${index + 1}`,
    planId: `fix-${index + 1}`,
    atMs: NOW_MS - ago * MINUTE_MS,
  }))

const calm = asked(1, 2, 3, 4, 5)
const stormy = asked(1, 2, 3, 4, 5, 6)

test.each([
  [1, 5],
  [29, 5],
  [30, 6],
  [1_000, 200],
])('of %i nodes more than %i are a storm', (size, above) => {
  expect(stormAbove({ percent: 20, nodes: 5 }, size)).toBe(above)
})

test.each([1, 2, 3])('%i nodes raise no storm', (count) => {
  expect(ask(storm, { nodes: fleetOf(count), requests: asked(...Array(count).fill(0)) })).toMatchObject({
    allowed: true,
  })
})

test('up to the limit it is calm', () => {
  expect(ask(storm, { requests: calm })).toEqual({
    allowed: true,
    why: '5 nodes asked for something new within 10m, and more than 5 would be a storm',
  })
  expect(ask(storm, { requests: [] })).toMatchObject({ allowed: true })
})

test.each(['none', 'process'] as const)('above it nothing is begun, of reach %s either', (reach) => {
  // In 7 minutes only two of them are left within ten minutes, and ten quiet minutes follow.
  expect(ask(storm, { requests: stormy, plan: reaching(reach) })).toEqual({
    allowed: false,
    why: '6 nodes asked for something new within 10m: it is a storm since more than 5 did, for 17m more',
    restMs: 17 * MINUTE_MS,
  })
})

test('it is the same storm until it was quiet for a while', () => {
  const later = (minutes: number) => ({ requests: asked(...[1, 2, 3, 4, 5, 6].map((ago) => ago + minutes)) })
  expect(ask(storm, later(16))).toMatchObject({ allowed: false, restMs: MINUTE_MS })
  expect(ask(storm, later(17))).toMatchObject({ allowed: true })
})

test('a few more while it is quiet change nothing, more than half as many prolong it', () => {
  const before = [21, 22, 23, 24, 25, 26]
  expect(ask(storm, { requests: asked(...before) })).toMatchObject({ allowed: true })
  expect(ask(storm, { requests: asked(...before, 10, 10) })).toMatchObject({ allowed: true })
  expect(ask(storm, { requests: asked(...before, 10, 10, 10) })).toMatchObject({
    allowed: false,
    restMs: 10 * MINUTE_MS,
  })
})

test('after it was quiet a few are no storm', () => {
  const before = [41, 42, 43, 44, 45, 46]
  expect(ask(storm, { requests: asked(...before, 1, 2, 3) })).toMatchObject({ allowed: true })
})

test('to ask again is nothing new, nor is another wish of the same node another node', () => {
  const again = asked(1, 2, 3, 4, 5, 25).concat({ node: 'node-6', planId: 'fix-6', atMs: NOW_MS })
  expect(ask(storm, { requests: again })).toMatchObject({ allowed: true })
  const twice = [...calm, { node: 'node-5', planId: 'fix-6', atMs: NOW_MS }]
  expect(ask(storm, { requests: twice })).toMatchObject({ allowed: true })
})

test('settings say how many, within what, and for how long it must be quiet', () => {
  expect(ask(storm, { requests: asked(1, 1) }, { storm: { nodes: 1, percent: 1 } })).toMatchObject({
    allowed: false,
    restMs: 19 * MINUTE_MS,
  })
  expect(ask(storm, { requests: stormy }, { storm: { percent: 60 } })).toMatchObject({ allowed: true })
  expect(ask(storm, { requests: stormy }, { storm: { within: '4m' } })).toMatchObject({ allowed: true })
  expect(ask(storm, { requests: stormy }, { storm: { quiet: '1m' } })).toMatchObject({
    allowed: false,
    restMs: 8 * MINUTE_MS,
  })
})
