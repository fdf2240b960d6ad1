import { describe, expect, test } from 'vitest'
import { limitOf } from '../../../remediators/guards/budget.ts'
import { budgetCluster } from '../../../remediators/guards/budget-cluster.ts'
import { budgetPool } from '../../../remediators/guards/budget-pool.ts'
import { budgetZone } from '../../../remediators/guards/budget-zone.ts'
import { ask, fleetOf, nodeOf, permitOf, planOf, reaching } from './views.ts'

const down = { isDown: true }
const quiet = (node: string) => permitOf(node, { reach: 'none', remediator: 'sysctl' })

test.each([
  [0, 1],
  [1, 1],
  [19, 1],
  [20, 2],
  [99, 9],
  [100, 10],
  [10_000, 10],
])('of %i nodes 10 %%, 10 nodes at most, are %i', (size, limit) => {
  expect(limitOf({ percent: 10, nodes: 10 }, size)).toBe(limit)
})

describe('budget-cluster', () => {
  test.each([1, 2, 3, 9])('one of %i nodes may be disrupted while nobody else is', (count) => {
    expect(ask(budgetCluster, { nodes: fleetOf(count) })).toMatchObject({ allowed: true })
  })

  test.each([2, 3, 9])('of %i nodes no second one may', (count) => {
    expect(ask(budgetCluster, { nodes: fleetOf(count, { 'node-2': down }) })).toEqual({
      allowed: false,
      why: `2 of ${count} nodes of the cluster would be disrupted with node-1, and 1 may be: node-2 (down)`,
      restMs: 120_000,
    })
  })

  test.each([
    ['down', down, false],
    ['cordoned by somebody', { takenBy: 'cordoned' }, false],
    ['permitted to us', {}, true],
  ])('of 20 nodes a second one may, and a third not: %s', (_, facts, isOurs) => {
    const beside = (...names: string[]) => ({
      nodes: fleetOf(20, Object.fromEntries(names.map((name) => [name, facts]))),
      outstanding: isOurs ? names.map((name) => permitOf(name)) : [],
    })
    expect(ask(budgetCluster, beside('node-2'))).toMatchObject({ allowed: true })
    expect(ask(budgetCluster, beside('node-2', 'node-3'))).toMatchObject({ allowed: false })
  })

  test('a node counts once, whatever is the matter with it', () => {
    const nodes = fleetOf(20, { 'node-2': { isDown: true, takenBy: 'rebooting' } })
    expect(ask(budgetCluster, { nodes, outstanding: [permitOf('node-2')] })).toEqual({
      allowed: true,
      why: '2 of 20 nodes of the cluster would be disrupted, and 2 may be',
    })
  })

  test('one that is disrupted already is not made more of by mending it', () => {
    expect(ask(budgetCluster, { nodes: fleetOf(3, { 'node-1': down }) })).toEqual({
      allowed: true,
      why: '1 of 3 nodes of the cluster would be disrupted, and 1 may be',
    })
    expect(ask(budgetCluster, { nodes: fleetOf(3, { 'node-1': down, 'node-2': down }) })).toMatchObject({
      allowed: false,
    })
  })

  test('what was granted to a node that is no member any more counts until its outcome', () => {
    expect(ask(budgetCluster, { outstanding: [permitOf('gone')] })).toMatchObject({ allowed: false })
  })

  test.each([
    ['none', true],
    ['process', true],
    ['host', false],
    ['workloads', false],
    ['machine', false],
  ] as const)('the only node bears reach %s: %s', (reach, allowed) => {
    expect(ask(budgetCluster, { nodes: fleetOf(1), plan: reaching(reach) })).toMatchObject({ allowed })
    expect(ask(budgetCluster, { nodes: fleetOf(1, { 'node-1': down }), plan: reaching(reach) })).toMatchObject({
      allowed,
    })
    expect(ask(budgetCluster, { nodes: fleetOf(2), plan: reaching(reach) })).toMatchObject({ allowed: true })
  })

  test('settings say how much', () => {
    const nodes = fleetOf(20, { 'node-2': down, 'node-3': down })
    expect(ask(budgetCluster, { nodes }, { budgets: { cluster: { percent: 15 } } })).toMatchObject({ allowed: true })
    expect(ask(budgetCluster, { nodes }, { budgets: { cluster: { percent: 100, nodes: 2 } } })).toMatchObject({
      allowed: false,
    })
  })
})

describe('budget-zone and budget-pool', () => {
  /** Ten nodes of zone a and pool main, and ten others of which five are down. */
  const nodes = new Map([
    ...fleetOf(10, { 'node-2': down }),
    ...Array.from(
      { length: 10 },
      (_, index) => [`other-${index}`, nodeOf({ zone: 'b', pool: 'gpu', isDown: index < 5 })] as const,
    ),
  ])

  test.each([
    [budgetZone, 'zone a'],
    [budgetPool, 'pool main'],
  ])('$name counts its own nodes only', (guard, name) => {
    expect(ask(guard, { nodes })).toEqual({
      allowed: true,
      why: `2 of 10 nodes of ${name} would be disrupted, and 2 may be`,
    })
    expect(ask(guard, { nodes, outstanding: [permitOf('other-9'), permitOf('node-3')] })).toEqual({
      allowed: false,
      why: `3 of 10 nodes of ${name} would be disrupted with node-1, and 2 may be: node-3 (in the hands of restart-unit), node-2 (down)`,
      restMs: 120_000,
    })
    expect(ask(guard, { nodes: fleetOf(1) })).toMatchObject({ allowed: true })
    expect(ask(guard, { nodes, plan: planOf({ node: 'stranger' }) })).toMatchObject({ allowed: false })
  })

  test('a node in no pool has none to be counted in', () => {
    const alone = fleetOf(3, { 'node-1': { pool: undefined }, 'node-2': { pool: undefined, isDown: true } })
    expect(ask(budgetPool, { nodes: alone })).toEqual({ allowed: true, why: 'the node is in no pool' })
  })

  test('settings say how much', () => {
    const outstanding = [permitOf('node-3')]
    expect(ask(budgetZone, { nodes, outstanding }, { budgets: { zone: { percent: 30 } } })).toMatchObject({
      allowed: true,
    })
    expect(ask(budgetPool, { nodes, outstanding }, { budgets: { pool: { percent: 30 } } })).toMatchObject({
      allowed: true,
    })
    expect(ask(budgetPool, { nodes }, { budgets: { pool: { nodes: 1 } } })).toMatchObject({ allowed: false })
  })
})

describe.each([budgetCluster, budgetZone, budgetPool])('$name of fixes that stop no process', (guard) => {
  const plan = reaching('none')

  test('whatever others do to other nodes is no reason', () => {
    const nodes = fleetOf(10, Object.fromEntries([2, 3, 4, 5].map((n) => [`node-${n}`, { takenBy: 'cordoned' }])))
    expect(ask(guard, { nodes, plan, outstanding: [permitOf('node-6')] })).toMatchObject({ allowed: true })
  })

  test('a quarter at a time may be changed by us', () => {
    expect(ask(guard, { plan, outstanding: [quiet('node-2')] })).toMatchObject({ allowed: true })
    const verdict = ask(guard, { plan, outstanding: [quiet('node-2'), quiet('node-3')] })
    expect(verdict).toMatchObject({ allowed: false })
    expect(verdict.why).toMatch(
      /^3 of 10 nodes of .* would be changed at once with node-1, and 2 may be: node-2 \(in the hands of sysctl\), node-3 \(in/,
    )
  })

  test('they take nothing from the budget of the others', () => {
    expect(ask(guard, { outstanding: [quiet('node-2'), quiet('node-3')] })).toMatchObject({ allowed: true })
  })

  test.each([1, 2, 3])('one of %i nodes always may', (count) => {
    expect(ask(guard, { plan, nodes: fleetOf(count) })).toMatchObject({ allowed: true })
    const twice = { plan, nodes: fleetOf(count), outstanding: [quiet('node-2')] }
    if (count > 1) expect(ask(guard, twice)).toMatchObject({ allowed: false })
  })

  test('settings say how much', () => {
    const outstanding = [quiet('node-2'), quiet('node-3')]
    const settings = { budgets: { reachNone: { percent: 30 } } }
    expect(ask(guard, { plan, outstanding }, settings)).toMatchObject({ allowed: true })
    expect(
      ask(guard, { plan, outstanding: [quiet('node-2')] }, { budgets: { reachNone: { nodes: 1 } } }),
    ).toMatchObject({ allowed: false })
  })
})
