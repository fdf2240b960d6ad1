/** What people decide on plans, at two aggregators of which one leads: one person's word, and the two that a dangerous plan takes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Approvals } from '../../aggregator/approvals.ts'
import type { Journal } from '../../aggregator/model.ts'
import type { Person } from '../../aggregator/people.ts'
import type { DecisionRequest } from '../../aggregator/remediation-model.ts'
import type { Plan, Risk } from '../../remediators/contract.ts'
import { decodeDecision } from '../../remediators/notes.ts'
import type { Decision } from '../../remediators/permits.ts'
import { Aggregator, fault, guardsOf, isPermit, Node, rest, World } from './permits/world.ts'

const HOUR_MS = 3_600_000
const LONG_AGO = '2026-01-01T00:00:00.000Z'
const personOf = (name: string, parts: Partial<Person> = {}): Person => {
  return { name, right: 'approve', token: `sha256:${'0'.repeat(64)}`, since: LONG_AGO, ...parts }
}

/** An aggregator that people talk to; what it says of decisions, others hear. */
class Office {
  readonly aggregator: Aggregator
  readonly approvals: Approvals
  readonly others: Office[] = []
  /** What nodes hear. */
  readonly toNodes: Decision[] = []
  readonly #publish: (topic: string, bytes: Uint8Array) => void

  constructor(term: number | undefined, store?: Journal) {
    this.aggregator = new Aggregator(world, term, store)
    const { fleet, recorder } = this.aggregator
    const whyHeld = () => held
    this.approvals = new Approvals({
      fleet,
      recorder,
      whyHeld,
      people: () => world.people,
      wallNow: () => world.wallMs,
    })
    this.#publish = (topic, bytes) => {
      for (const { approvals } of this.others) approvals.hear({ kind: 'note', topic, bytes })
      if (topic.startsWith('decision/')) this.toNodes.push(decodeDecision(bytes))
    }
  }

  decide(by: string, parts: Partial<DecisionRequest> = {}): string {
    const request = { planId: plan.id, action: 'approve', reason: '', via: 'cli', ...parts } as const
    return this.approvals.decide(request, by, this.#publish).summary
  }

  /** What its node asks with the last decision that it heard. */
  async asked(): Promise<readonly string[]> {
    const { id } = this.toNodes.at(-1) ?? {}
    return await askOf(this, id)
  }
}

async function askOf({ aggregator }: Office, decisionId = 'decision-none'): Promise<readonly string[]> {
  aggregator.hear(node.asks(plan, { mode: 'approve', decisionId }))
  await rest()
  const answer = aggregator.sent.at(-1)
  return isPermit(answer) ? ['permitted'] : guardsOf(answer)
}

let world: World
let node: Node
let plan: Plan
let held: string | undefined
let leader: Office
let other: Office

/** A plan that waits, of which both aggregators know. */
function proposed(risk: Risk): void {
  plan = node.plan('process', risk)
  const says = node.says(plan, 'awaiting-approval', { mode: 'approve' })
  for (const { aggregator } of [leader, other]) aggregator.hear(says)
}

beforeEach(() => {
  world = new World()
  world.people = [personOf('ada'), personOf('grace'), personOf('hedy', { right: 'view' })]
  node = new Node(world)
  held = undefined
  leader = new Office(1)
  other = new Office(undefined)
  leader.others.push(other)
  other.others.push(leader)
})
afterEach(() => world.close())

describe('an ordinary plan', () => {
  beforeEach(() => proposed('medium'))

  it.each(['local-token', 'ada'])('takes one person, as %s', async (by) => {
    expect(leader.decide(by)).toBe(`approved by ${by} (cli)`)
    expect(await leader.asked()).toEqual(['permitted'])
    expect(() => leader.decide('grace')).toThrow('was decided a moment ago')
  })

  it('whose finding is held gets no approval; it can be rejected all the same', () => {
    held = 'it jumped'
    expect(() => leader.decide('ada')).toThrow(`what plan ${plan.id} would mend is held, since it jumped`)
    expect(leader.decide('ada', { action: 'reject' })).toBe('rejected by ada (cli)')
  })

  it('that another aggregator heard of after its decision has it on record all the same', async () => {
    const late = new Office(undefined)
    leader.others.push(late)
    leader.decide('ada')
    late.aggregator.hear(node.says(plan, 'awaiting-approval', { mode: 'approve' }))
    const remediation = late.aggregator.fleet.remediation(plan.id)
    if (remediation === undefined) throw new Error('no plan')
    late.approvals.heardOf(remediation)
    late.aggregator.term = 2
    expect(await askOf(late, leader.toNodes[0]?.id)).toEqual(['permitted'])
  })
})

describe('a dangerous plan', () => {
  beforeEach(() => proposed('dangerous'))

  it('takes two people: the first is shown and no node hears of it, with the second it goes', async () => {
    expect(leader.decide('ada')).toBe('approved by ada (cli), 1 of 2, until 2026-01-31T13:00:00.000Z')
    expect(leader.toNodes).toEqual([])
    const shown = [{ planId: plan.id, by: 'ada', at: world.wall, until: '2026-01-31T13:00:00.000Z' }]
    expect([leader.approvals.view(), other.approvals.view()]).toEqual([shown, shown])
    world.nowMs += HOUR_MS
    expect(leader.decide('grace')).toBe('approved by grace (cli)')
    expect(leader.approvals.view()).toEqual([])
    expect(await leader.asked()).toEqual(['permitted'])
  })

  it('is not approved by the same person twice, who is told so', () => {
    leader.decide('ada')
    world.nowMs += 60_000
    expect(() => leader.decide('ada', { via: 'page' })).toThrow(
      `you have approved plan ${plan.id}, ada: until 2026-01-31T13:00:00.000Z somebody else must approve it too`,
    )
    expect(leader.toNodes).toEqual([])
  })

  it.each([
    ['whoever has the token that several share', 'local-token', {}],
    ['somebody unknown', 'alan', {}],
    ['somebody who may only look', 'hedy', {}],
    ['an object of the cluster, whose writer is not known', 'ada', { via: 'kubernetes' as never }],
  ])('is not approved by %s, neither first nor second', (_, by, parts) => {
    const refused = () => leader.decide(by, parts)
    expect(refused).toThrow('2 people who are known by name must approve it')
    leader.decide('grace')
    expect(refused).toThrow('2 people who are known by name must approve it')
    expect(leader.toNodes).toEqual([])
  })

  it('goes by nothing that was approved longer than an hour ago', async () => {
    leader.decide('ada')
    world.nowMs += HOUR_MS + 1
    expect(leader.approvals.view()).toEqual([])
    expect(leader.decide('grace')).toContain('1 of 2')
    expect(leader.decide('ada')).toBe('approved by ada (cli)')
    expect(await leader.asked()).toEqual(['permitted'])
  })

  it('is permitted later than that when both were in time, as when it waits for its window', async () => {
    leader.decide('ada')
    leader.decide('grace')
    world.nowMs += 5 * HOUR_MS
    expect(await leader.asked()).toEqual(['permitted'])
  })

  it('is ended by a rejection of anybody, and by none of before is it approved', () => {
    leader.decide('ada')
    expect(leader.decide('local-token', { action: 'reject' })).toBe('rejected by local-token (cli)')
    expect([leader.toNodes, leader.approvals.view(), other.approvals.view()]).toMatchObject([
      [{ action: 'reject' }],
      [],
      [],
    ])
    // The node has not heard of it, and another leads by then.
    world.nowMs += 1_000
    expect(other.decide('grace')).toContain('1 of 2')
  })

  it('survives a restart, and a change of the leader between the two', async () => {
    leader.decide('ada')
    other.aggregator.term = 2
    leader.aggregator.term = undefined
    expect(other.decide('grace')).toBe('approved by grace (cli)')
    expect(await other.asked()).toEqual(['permitted'])
  })

  it('survives a restart between the two', async () => {
    const store = world.store()
    const before = new Office(1, store)
    const says = node.says(plan, 'awaiting-approval', { mode: 'approve' })
    before.aggregator.hear(says)
    before.decide('ada')
    const next = new Office(1, store)
    next.aggregator.hear(says)
    expect(next.approvals.view()).toMatchObject([{ by: 'ada' }])
    next.decide('grace')
    expect(await next.asked()).toEqual(['permitted'])
  })

  it('is not begun on the word of somebody who was removed since, or whose token is another', async () => {
    leader.decide('ada')
    leader.decide('grace')
    const { people } = world
    world.people = people.filter(({ name }) => name !== 'ada')
    expect(await leader.asked()).toEqual(['approval'])
    world.people = [...world.people, personOf('ada', { since: new Date(world.wallMs + 1).toISOString() })]
    expect(await leader.asked()).toEqual(['approval'])
    world.people = people
    expect(await leader.asked()).toEqual(['permitted'])
  })

  it('shows nothing of a first who was removed, and takes another two', () => {
    leader.decide('ada')
    world.people = [personOf('grace'), personOf('hedy')]
    expect(leader.approvals.view()).toEqual([])
    expect(leader.decide('grace')).toContain('1 of 2')
    expect(leader.decide('hedy')).toBe('approved by hedy (cli)')
  })

  it('is another one when it was planned anew, or on other evidence', () => {
    leader.decide('ada')
    world.nowMs += 1_000
    proposed('dangerous')
    expect(leader.approvals.view()).toEqual([])
    expect(leader.decide('grace')).toContain('1 of 2')
    const finding = { ...fault('node-1'), evidence: [{ name: 'units', value: 2, unit: '' }] }
    plan = { ...node.plan('process', 'dangerous', finding), createdAt: plan.createdAt }
    leader.aggregator.hear(node.says(plan, 'awaiting-approval', { mode: 'approve' }))
    expect(leader.decide('ada')).toContain('1 of 2')
  })

  it('whose approval came to nothing at its node can be approved again by either', async () => {
    const store = world.store()
    const says = node.says(plan, 'awaiting-approval', { mode: 'approve' })
    const before = new Office(1, store)
    before.aggregator.hear(says)
    before.decide('ada')
    before.decide('grace')
    // That it was sent is not remembered for longer than it can be used.
    const next = new Office(1, store)
    next.aggregator.hear(says)
    expect([next.approvals.view(), next.decide('ada')]).toEqual([[], 'approved by ada (cli)'])
    expect(await next.asked()).toEqual(['permitted'])
  })
})
