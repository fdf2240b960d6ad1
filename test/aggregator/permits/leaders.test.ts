/** Permits where leaders change, die half-way, are cut off, or are two at once: the record decides, and nothing else. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Aggregator, fault, guardsOf, isPermit, Node, rest, World } from './world.ts'

let world: World
let node: Node

beforeEach(() => {
  world = new World()
  node = new Node(world)
})
afterEach(() => world.close())

const outstanding = () => world.book.book.grants.map(({ permit }) => permit.id)

/** Of an aggregator that leads under `term`: the answer to this node's plan, which it is told of before. */
async function asked(aggregator: Aggregator, of = node) {
  const plan = of.plan()
  aggregator.hear(of.says(plan, 'proposed'), of.asks(plan))
  await rest()
  return { plan, answer: aggregator.sent.at(-1) }
}

test('a permit of an earlier leader is outstanding for the next, who learns of its end', async () => {
  const first = new Aggregator(world, 1)
  const next = new Aggregator(world, undefined)
  const { plan, answer } = await asked(first)
  if (!isPermit(answer)) throw new Error('refused')
  const begun = node.says(plan, 'applying', { permitId: answer.id })
  first.hear(begun)
  next.hear(begun)
  first.term = undefined
  next.term = 2
  next.desk.look()
  world.findings = [fault('node-1'), fault('node-2')]
  const second = await asked(next, new Node(world, 'node-2'))
  expect(guardsOf(second.answer)).toContain('budget-cluster')
  next.hear(node.says(plan, 'verified', { ended: true, permitId: answer.id }))
  await rest()
  expect([outstanding(), world.book.book.term]).toEqual([[], 2])
})

test('what ended while nobody led is found by who leads next', async () => {
  const first = new Aggregator(world, 1)
  const next = new Aggregator(world, undefined)
  const { plan } = await asked(first)
  first.term = undefined
  next.hear(node.says(plan, 'verifying'), node.says(plan, 'reverted', { ended: true }))
  await rest()
  expect(outstanding()).toHaveLength(1)
  next.term = 2
  next.desk.look()
  await rest()
  expect([outstanding(), world.book.book.ended]).toMatchObject([[], [{ phase: 'reverted' }]])
})

test('one that was killed between record and send has granted: its node asks again, and gets another in its place', async () => {
  const first = new Aggregator(world, 1)
  first.isMute = true
  const { plan } = await asked(first)
  const [unsent, ...none] = outstanding()
  expect([unsent?.startsWith('permit-'), none]).toEqual([true, []])
  const next = new Aggregator(world, 2)
  // It counts against others, whoever leads.
  world.findings = [fault('node-1'), fault('node-2')]
  const other = await asked(next, new Node(world, 'node-2'))
  expect(guardsOf(other.answer)).toContain('budget-cluster')
  next.hear(node.says(plan, 'proposed'))
  await rest()
  next.hear(node.asks(plan))
  await rest()
  const answer = next.sent.at(-1)
  if (!isPermit(answer)) throw new Error('refused')
  expect(outstanding()).toEqual([answer.id])
  expect(answer.id).not.toBe(unsent)
})

test('a node that has begun gets no second permit, whatever it asks', async () => {
  const aggregator = new Aggregator(world, 1)
  const { plan, answer } = await asked(aggregator)
  aggregator.hear(node.says(plan, 'applying'), node.asks(plan))
  await rest()
  expect(guardsOf(aggregator.sent[1])).toContain('request')
  expect(outstanding()).toEqual([isPermit(answer) ? answer.id : ''])
})

test('a request that was asked before the one that is granted changes nothing', async () => {
  const aggregator = new Aggregator(world, 1)
  const plan = node.plan()
  const early = node.asks(plan)
  aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
  await rest()
  const before = outstanding()
  aggregator.hear(early)
  await rest()
  expect([guardsOf(aggregator.sent[1]), outstanding()]).toEqual([['request'], before])
})

test('a node that is cut off after its permit keeps it outstanding until it is heard, or dead by verdict', async () => {
  const aggregator = new Aggregator(world, 1)
  await asked(aggregator)
  world.nowMs += 86_400_000
  world.standing.set('node-1', { kind: 'Isolated' })
  aggregator.desk.look()
  await rest()
  expect(outstanding()).toHaveLength(1)
  world.standing.clear()
  aggregator.hear(node.says(node.plan(), 'verified', { ended: true }))
  await rest()
  expect(outstanding()).toEqual([])
})

test('of two who both believe that they lead, one grants: the other decides anew on what the first wrote', async () => {
  const [first, second] = [new Aggregator(world, 1), new Aggregator(world, 1)]
  world.findings = [fault('node-1'), fault('node-2')]
  const other = new Node(world, 'node-2')
  const plan = other.plan()
  const ask = [other.says(plan, 'proposed'), other.asks(plan)]
  // The second is done with its write before the first, which decided on the same state, gets to its own.
  world.book.beforeWrite = async () => {
    second.hear(...ask)
    await rest()
  }
  await asked(first)
  await rest()
  expect([isPermit(second.sent[0]), first.sent.map(isPermit)]).toEqual([true, [false]])
  expect(guardsOf(first.sent[0])).toContain('budget-cluster')
  expect(world.book.book.grants.map(({ permit }) => permit.node)).toEqual(['node-2'])
})

test('one that a later leader has written after says nothing more', async () => {
  const [deposed, leader] = [new Aggregator(world, 1), new Aggregator(world, 2)]
  const { plan } = await asked(leader)
  leader.hear(node.says(plan, 'verified', { ended: true }))
  await rest()
  world.findings = [fault('node-2')]
  const { answer } = await asked(deposed, new Node(world, 'node-2'))
  expect([answer, outstanding(), world.book.book.term]).toEqual([undefined, [], 2])
})

test('one that loses the lead while it decides neither writes nor answers', async () => {
  const aggregator = new Aggregator(world, 1)
  world.book.beforeWrite = async () => {
    aggregator.term = undefined
  }
  const { answer } = await asked(aggregator)
  // The write was under way: it counts, and nobody heard of it.
  expect([answer, outstanding()]).toMatchObject([undefined, [expect.stringMatching('permit-')]])
})

test('the history of a leader brings its storms over a restart', async () => {
  const store = world.store()
  world.guards = { storm: { nodes: 1, percent: 1 }, budgets: { cluster: { percent: 100 } } }
  world.findings = ['node-1', 'node-2', 'node-3'].map(fault)
  const before = new Aggregator(world, 1, store)
  await asked(before)
  await asked(before, new Node(world, 'node-2'))
  const after = new Aggregator(world, 2, store)
  const { answer } = await asked(after, new Node(world, 'node-3'))
  expect(guardsOf(answer)).toContain('storm')
})

test('who has just begun to lead hears the nodes first, and lets those that ask wait', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const aggregator = new Aggregator(world, 1)
    aggregator.ledForMs = 5_000
    expect(await asked(aggregator)).toMatchObject({ answer: undefined })
    await vi.advanceTimersByTimeAsync(9_999)
    expect(aggregator.sent).toEqual([])
    aggregator.ledForMs = 15_000
    await vi.advanceTimersByTimeAsync(1)
    await rest()
    expect(aggregator.sent.map(isPermit)).toEqual([true])
  } finally {
    vi.useRealTimers()
  }
})
