import { expect, test } from 'vitest'
import { guardsPart, readGuards } from '../../../remediators/guards/settings.ts'

test('what is not said has its default', () => {
  expect(readGuards(guardsPart.parse({}))).toEqual(readGuards())
  expect(readGuards()).toEqual({
    budgets: {
      cluster: { percent: 10, nodes: 10 },
      zone: { percent: 20, nodes: 5 },
      pool: { percent: 20, nodes: 5 },
      reachNone: { percent: 25, nodes: 25 },
    },
    sameFault: { percent: 10, nodes: 3, withinMs: 600_000 },
    storm: { percent: 20, nodes: 5, withinMs: 600_000, quietMs: 600_000 },
    coolDownMs: 600_000,
    attempts: 5,
    stopOnFailure: { nodes: 1, forMs: 86_400_000 },
    zones: { unhealthyPercent: 55, smallCluster: 50 },
    blockingAlerts: [],
    blockingPods: [],
  })
})

test('what is said is taken, beside the defaults of what is left out', () => {
  const said = guardsPart.parse({
    budgets: { cluster: { nodes: 2 }, reachNone: { percent: 50 } },
    sameFault: { within: '5m' },
    storm: { nodes: 1, quiet: '1m' },
    coolDown: '0s',
    attempts: 1,
    stopOnFailure: { for: '2h' },
    zones: { smallCluster: 0 },
    blockingAlerts: ['Watchtower'],
    blockingPods: ['app=backup,tier!=test', '!example.org/idle', 'x='],
  })
  expect(readGuards(said)).toEqual({
    ...readGuards(),
    budgets: {
      ...readGuards().budgets,
      cluster: { percent: 10, nodes: 2 },
      reachNone: { percent: 50, nodes: 25 },
    },
    sameFault: { percent: 10, nodes: 3, withinMs: 300_000 },
    storm: { percent: 20, nodes: 1, withinMs: 600_000, quietMs: 60_000 },
    coolDownMs: 0,
    attempts: 1,
    stopOnFailure: { nodes: 1, forMs: 7_200_000 },
    zones: { unhealthyPercent: 55, smallCluster: 0 },
    blockingAlerts: ['Watchtower'],
    blockingPods: ['app=backup,tier!=test', '!example.org/idle', 'x='],
  })
})

test.each([
  [
    'a budget of no percent',
    { budgets: { cluster: { percent: 0 } } },
    'must be at least 1: `mode: observe` or a pause',
  ],
  ['a budget of no nodes', { budgets: { pool: { nodes: 0 } } }, 'must be at least 1: `mode: observe` or a pause'],
  ['more than all', { budgets: { zone: { percent: 101 } } }, '<=100'],
  ['half a node', { budgets: { zone: { nodes: 1.5 } } }, 'expected int'],
  ['no attempt', { attempts: 0 }, 'must be at least 1: `mode: observe` or a pause'],
  ['a storm that nobody would remember', { storm: { within: '31m' } }, 'must be 1m to 30m'],
  ['a rest longer than what is remembered', { coolDown: '25h' }, 'must be 0s to 1d'],
  ['a stop of no time', { stopOnFailure: { for: '0s' } }, 'must be 1m to 1d'],
  ['a time without a unit', { coolDown: '10' }, 'must be a duration'],
  ['pods without a label', { blockingPods: [''] }, 'must be a label selector'],
  ['pods in words', { blockingPods: ['app in (a, b)'] }, 'must be a label selector'],
  ['pods by a label that cannot be', { blockingPods: ['app=-'] }, 'must be a label selector'],
  ['pods by nothing', { blockingPods: ['app,'] }, 'must be a label selector'],
  ['an unknown guard', { budget: {} }, 'Unrecognized key'],
])('%s is refused', (_, said, message) => {
  const { error } = guardsPart.safeParse(said)
  expect(error?.issues[0]?.message).toContain(message)
})
