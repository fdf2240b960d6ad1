/** Whether a node may begin: who is answered, with what, and what is on record when it is. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Journal } from '../../../aggregator/model.ts'
import { Aggregator, guardsOf, isPermit, Node, rest, World } from './world.ts'

let world: World
let node: Node

beforeEach(() => {
  world = new World()
  node = new Node(world)
})
afterEach(() => world.close())

describe('a request', () => {
  test('is permitted when nothing stands against it, once it is on record', async () => {
    const store = world.store()
    const aggregator = new Aggregator(world, 1, store)
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
    await rest()
    const [answer, ...more] = aggregator.sent
    expect(more).toEqual([])
    if (!isPermit(answer)) throw new Error(JSON.stringify(answer))
    expect(answer).toMatchObject({ node: 'node-1', planId: plan.id, planHash: plan.planHash })
    expect(world.book.book).toMatchObject({ term: 1, grants: [{ permit: { id: answer.id }, pool: 'workers' }] })
    const [event] = store.query({ kinds: ['permit'], limit: 10 })
    expect(event?.data).toMatchObject({ permit: { id: answer.id }, request: { nonce: answer.nonce } })
    expect(event?.data.verdicts).toContainEqual(expect.objectContaining({ guard: 'budget-pool', allowed: true }))
    expect(event?.causedBy).toBe(`plan/${plan.id}@${plan.createdAt}`)
    aggregator.hear(node.says(plan, 'permitted', { permitId: answer.id }))
    expect(store.query({ kinds: ['remediation'], limit: 1 })[0]?.causedBy).toBe(event?.id)
  })

  test('is refused with the guards that said no, on record before it is sent', async () => {
    const store = world.store()
    const aggregator = new Aggregator(world, 1, store)
    world.restrained = 'frozen: too many'
    world.findings = []
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
    await rest()
    expect(guardsOf(aggregator.sent[0])).toEqual(['restrained', 'evidence'])
    expect(aggregator.refusals).toEqual(['restrained', 'evidence'])
    expect(aggregator.desk.refused).toMatchObject([{ planId: plan.id, retryAfterMs: 60_000 }])
    const [event] = store.query({ kinds: ['permit-refused'], limit: 10 })
    expect(event?.summary).toContain('frozen: too many')
    expect(world.book.book.grants).toEqual([])
    aggregator.hear(node.says(plan, 'withdrawn', { ended: true }))
    expect(aggregator.desk.refused).toEqual([])
  })

  test('in a mode that the settings do not allow is refused, and one on its way counts as well', async () => {
    const aggregator = new Aggregator(world, 1)
    world.modes = new Map([[7, 'approve']])
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
    await rest()
    const [refusal] = aggregator.desk.refused
    const why =
      'it asks in mode auto, but remediators.sample-fix of settings version 7 is approve for SampleFault there'
    expect(refusal?.guards).toEqual([{ guard: 'mode', allowed: false, why, restMs: 60_000 }])
    world.modes = new Map([
      [7, 'approve'],
      [8, 'auto'],
    ])
    aggregator.hear(node.asks(plan))
    await rest()
    expect(isPermit(aggregator.sent.at(-1))).toBe(true)
  })

  const fails = () => {
    throw new Error('the disk is full')
  }
  test.each([
    ['fails', fails],
    ['is lost', () => null],
  ])('is not answered while what puts it on record %s, and the node asks again', async (_, put) => {
    const store = world.store()
    let isFull = true
    const append: Journal['append'] = (event) => (isFull && event.kind === 'permit' ? put() : store.append(event))
    const aggregator = new Aggregator(world, 1, { ...store, append })
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
    await rest()
    expect(aggregator.sent).toEqual([])
    const first = world.book.book.grants[0]?.permit.id
    expect(first).toBeDefined()
    isFull = false
    aggregator.hear(node.asks(plan))
    await rest()
    expect(aggregator.sent).toMatchObject([{ planId: plan.id }])
    expect(world.book.book.grants).toHaveLength(1)
    expect(world.book.book.grants[0]?.permit.id).not.toBe(first)
  })

  test('that is heard twice has one answer, also of the next life of the aggregator', async () => {
    const store = world.store()
    const aggregator = new Aggregator(world, 1, store)
    const plan = node.plan()
    const nonce = 'ab'.repeat(16)
    const proposal = node.says(plan, 'proposed')
    aggregator.hear(proposal, node.asks(plan, { nonce }))
    await rest()
    aggregator.hear(node.asks(plan, { nonce }))
    await rest()
    const next = new Aggregator(world, 2, store)
    next.hear(proposal, node.asks(plan, { nonce }))
    await rest()
    const [first] = aggregator.sent
    expect(isPermit(first)).toBe(true)
    expect([...aggregator.sent, ...next.sent]).toEqual([first, first, first])
    expect(store.query({ kinds: ['permit'], limit: 10 })).toHaveLength(1)
    // Its end makes the answer void: whoever acted on it would do so unknown to the record.
    next.hear(node.says(plan, 'verified', { ended: true }))
    await rest()
    next.hear(node.asks(plan, { nonce }))
    await rest()
    expect(next.sent).toHaveLength(1)
  })

  test('of mode approve goes back to an approval of this very proposal', async () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    const approved = { mode: 'approve', decisionId: 'decision-1' } as const
    aggregator.hear(node.says(plan, 'awaiting-approval'), node.asks(plan, approved))
    await rest()
    expect(guardsOf(aggregator.sent[0])).toEqual(['approval'])
    const proposed = aggregator.fleet.remediation(plan.id)
    if (proposed === undefined) throw new Error('no plan')
    const { id: planId, planHash, evidenceHash } = plan
    const said = { action: 'approve', by: 'local-token', via: 'cli', reason: '', at: world.wall, ttlMs: 1 } as const
    aggregator.recorder.decision(
      { id: 'decision-1', node: 'node-1', planId, planHash, evidenceHash, ...said },
      proposed,
    )
    aggregator.hear(node.asks(plan, approved))
    await rest()
    expect(isPermit(aggregator.sent[1])).toBe(true)
    // Planned anew it is another proposal, whatever it has in common with the one before.
    aggregator.hear(node.says(plan, 'verified', { ended: true }))
    world.nowMs += 3_600_000
    const again = node.plan()
    expect(again.id).toBe(plan.id)
    aggregator.hear(node.says(again, 'awaiting-approval'), node.asks(again, approved))
    await rest()
    expect(guardsOf(aggregator.sent[2])).toEqual(['approval'])
  })
})

describe('nobody gets a permit', () => {
  test('who is no member, asks for another, or says something else', () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    expect(() => aggregator.hear(new Node(world, 'stranger').asks(plan))).toThrow('no member')
    expect(() => aggregator.hear(new Node(world, 'node-2').asks(plan, { node: 'node-1' }))).toThrow('asked for node-1')
    expect(() => aggregator.hear(node.asks(plan, { nonce: 'short' }))).toThrow()
  })

  test('for a plan that nobody knows, that has other content, or that is closed', async () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    aggregator.hear(node.asks(plan))
    await rest()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan, { planHash: '00'.repeat(32) }))
    await rest()
    aggregator.hear(node.says(plan, 'rejected', { ended: true }), node.asks(plan))
    await rest()
    expect(aggregator.sent.map(guardsOf)).toEqual([['request'], ['evidence'], ['request']])
    expect(world.book.writes).toBe(0)
  })

  test('from one who stands by', async () => {
    const store = world.store()
    const aggregator = new Aggregator(world, undefined, store)
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
    await rest()
    expect([aggregator.sent, store.query({ kinds: ['permit', 'permit-refused'], limit: 1 })]).toEqual([[], []])
  })

  test('by asking without end', () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'))
    const askOn = () => {
      for (let times = 0; times < 1_000; times++) aggregator.hear(node.asks(plan))
    }
    expect(askOn).toThrow('too often')
  })

  test('while the record cannot be read or written', async () => {
    const aggregator = new Aggregator(world, 1)
    const plan = node.plan()
    aggregator.hear(node.says(plan, 'proposed'))
    world.book.isDown = true
    aggregator.hear(node.asks(plan))
    await rest()
    world.book.isDown = false
    world.book.failing = 'lost-request'
    aggregator.hear(node.asks(plan))
    await rest()
    expect(aggregator.sent.map((answer) => guardsOf(answer).at(-1))).toEqual(['record', 'record'])
    // A reply that got lost is looked up: what was asked was done.
    world.book.failing = 'lost-reply'
    aggregator.hear(node.asks(plan))
    await rest()
    expect(isPermit(aggregator.sent[2])).toBe(true)
  })
})
