/** How long a permit is outstanding, and what ends it: the word of its node, or a committed NodeDown. Never time. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Aggregator, fault, guardsOf, isPermit, Node, rest, World } from './world.ts'

const DAY_MS = 86_400_000

let world: World
let node: Node

beforeEach(() => {
  world = new World()
  node = new Node(world)
})
afterEach(() => world.close())

async function permitted(): Promise<Aggregator> {
  const aggregator = new Aggregator(world, 1)
  const plan = node.plan()
  aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
  await rest()
  expect(isPermit(aggregator.sent[0])).toBe(true)
  return aggregator
}

const outstanding = () => world.book.book.grants.map(({ permit }) => permit.node)

describe('a permit', () => {
  test('is outstanding however long nothing is heard of it', async () => {
    const aggregator = await permitted()
    for (let day = 0; day < 100; day++) {
      world.nowMs += DAY_MS
      aggregator.desk.look()
      await rest()
    }
    expect(outstanding()).toEqual(['node-1'])
  })

  test('ends with what came of it, which is kept for a day', async () => {
    const aggregator = await permitted()
    const plan = node.plan()
    for (const phase of ['permitted', 'applying', 'verifying', 'no-effect'] as const) {
      aggregator.hear(node.says(plan, phase))
      await rest()
      expect([phase, ...outstanding()]).toEqual([phase, 'node-1'])
    }
    aggregator.hear(node.says(plan, 'reverted', { ended: true }))
    await rest()
    expect(outstanding()).toEqual([])
    const outcome = { node: 'node-1', pool: 'workers', planId: plan.id, phase: 'reverted' }
    expect([world.book.book.ended, aggregator.ends]).toMatchObject([[outcome], [outcome]])
    world.nowMs += DAY_MS + 1
    aggregator.desk.look()
    await rest()
    expect([world.book.book.ended, aggregator.ends]).toMatchObject([[], [outcome]])
  })

  test.each(['refused', 'withdrawn', 'awaiting-window'] as const)(
    'ends without an outcome when its node says that it is %s',
    async (phase) => {
      const aggregator = await permitted()
      aggregator.hear(node.says(node.plan(), phase))
      await rest()
      expect([outstanding(), world.book.book.ended]).toEqual([[], []])
    },
  )

  test('is not ended by what its node said before it asked, heard late', async () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'))
    const early = node.says(plan, 'refused')
    aggregator.hear(node.asks(plan))
    await rest()
    aggregator.hear(early)
    await rest()
    expect(outstanding()).toEqual(['node-1'])
  })

  test('is not ended by what its node said of another permit', async () => {
    const aggregator = await permitted()
    aggregator.hear(node.says(node.plan(), 'refused', { permitId: 'permit-of-before' }))
    await rest()
    expect(outstanding()).toEqual(['node-1'])
  })

  test('ends with a committed NodeDown, and with no lesser verdict', async () => {
    const aggregator = await permitted()
    world.standing.set('node-1', { kind: 'HostHung' })
    aggregator.desk.look()
    await rest()
    expect(outstanding()).toEqual(['node-1'])
    world.standing.set('node-1', { kind: 'NodeDown' })
    aggregator.desk.look()
    await rest()
    expect(outstanding()).toEqual([])
  })

  test('keeps the place of its node, so that another is not disturbed beside it', async () => {
    const aggregator = await permitted()
    const other = new Node(world, 'node-2')
    world.findings = [fault('node-1'), fault('node-2')]
    const plan = other.plan()
    aggregator.hear(other.says(plan, 'proposed'), other.asks(plan))
    await rest()
    expect(guardsOf(aggregator.sent[1])).toContain('budget-cluster')
    expect(aggregator.uses).toEqual([
      { cluster: 0, zone: 0, pool: 0 },
      { cluster: 1, zone: 1, pool: 1 },
    ])
    aggregator.hear(node.says(node.plan(), 'verified', { ended: true }), other.asks(plan))
    await rest()
    expect(isPermit(aggregator.sent[2])).toBe(true)
  })

  test('that ended while it was being written ends all the same', async () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
    const withdrawn = node.says(plan, 'withdrawn', { ended: true })
    world.book.beforeWrite = async () => aggregator.hear(withdrawn)
    await rest()
    expect([world.book.writes > 0, outstanding()]).toEqual([true, []])
  })
})

describe('what came of a plan that was made again before anybody had put it on record', () => {
  const back = (plannedAt: string, at: string) => {
    return { plannedAt, reason: 'SampleFault', cause: '', phase: 'reverted', at } as const
  }

  test('is on record by the newest word of it, as old as it is, and once', async () => {
    const aggregator = new Aggregator(world, 1)
    const [before, at] = [world.wall, new Date(world.wallMs + 1_000).toISOString()]
    world.nowMs += 3_600_000
    const earlier = [back(before, at)]
    aggregator.hear(node.says(node.plan(), 'proposed', { earlier }))
    await rest()
    expect(world.book.book.ended).toMatchObject([{ phase: 'reverted', plannedAt: before, pool: 'workers', at }])
    const { writes } = world.book
    aggregator.hear(node.says(node.plan(), 'withdrawn', { earlier, ended: true }))
    await rest()
    expect(world.book.writes).toBe(writes)
  })

  test('keeps the node from being fixed by the same too soon', async () => {
    const aggregator = new Aggregator(world, 1)
    const before = world.wall
    world.nowMs += 10_000
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed', { earlier: [back(before, world.wall)] }), node.asks(plan))
    await rest()
    expect(guardsOf(aggregator.sent[0])).toContain('cool-down')
  })

  test('is no news a day later', async () => {
    const aggregator = new Aggregator(world, 1)
    const at = world.wall
    world.nowMs += DAY_MS
    aggregator.hear(node.says(node.plan(), 'proposed', { earlier: [back(at, at)] }))
    await rest()
    expect(world.book.book.ended).toEqual([])
  })
})

test('a fix that had no effect and cannot be undone has ended with that', async () => {
  const aggregator = await permitted()
  aggregator.hear(node.says(node.plan(), 'no-effect', { ended: true }))
  await rest()
  expect([outstanding(), world.book.book.ended]).toMatchObject([[], [{ phase: 'no-effect' }]])
})

test('a fix that was carried out without a permit, cut off, counts like any other, and once', async () => {
  const aggregator = new Aggregator(world, 1)
  const plan = node.plan('none')
  aggregator.hear(node.says(plan, 'reverted', { ended: true }))
  await rest()
  expect(world.book.book.ended).toMatchObject([{ node: 'node-1', pool: 'workers', phase: 'reverted' }])
  aggregator.hear(node.says(plan, 'escalated', { ended: true }))
  await rest()
  expect(world.book.book.ended).toMatchObject([{ phase: 'escalated' }])
})
