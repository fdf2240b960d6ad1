/** The fleet as guards look at it: what the mesh says of its members, and what the cluster says of all its Nodes. */
import { expect, test } from 'vitest'
import type { NodeNow } from '../../../aggregator/permits/outside.ts'
import { guardView } from '../../../aggregator/permits/view.ts'
import type { Member } from '../../../mesh/core/model.ts'
import { budgetCluster } from '../../../remediators/guards/budget-cluster.ts'
import { controlPlaneOneAtATime } from '../../../remediators/guards/control-plane-one-at-a-time.ts'
import { evaluateGuards } from '../../../remediators/guards/index.ts'
import { readGuards } from '../../../remediators/guards/settings.ts'
import { sampleMember } from '../../mesh/sample-mesh.ts'
import { NODE, planOf, viewOf } from '../../remediators/guards/views.ts'

const EMPTY = { term: 1, grants: [], ended: [], pauses: [], releases: [] }
const now = (parts: Partial<NodeNow> = {}): NodeNow => {
  return {
    zone: 'a',
    pool: 'main',
    roles: [],
    isReady: true,
    takenBy: undefined,
    paused: undefined,
    blockingPods: [],
    ...parts,
  }
}
const members = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    sampleMember(`node-${index + 1}`, 'a', { pool: 'main', roles: ['worker'] }),
  )

function view(of: readonly Member[], nodes: Readonly<Record<string, NodeNow>>, plan = planOf()) {
  return guardView({
    ...{ nowMs: 0, wallMs: 0, requests: [], approvals: [], book: EMPTY, plan, request: viewOf({ plan }).request },
    mesh: { members: of, standing: new Map(), hasLeft: () => false, findings: [], restrained: undefined },
    outlook: { nodes: new Map(Object.entries(nodes)), stale: undefined, alerts: [] },
  })
}

const cordoned = now({ takenBy: 'it is cordoned' })
const judged = (...args: Parameters<typeof view>) => budgetCluster.judge(view(...args), readGuards())

test.each([
  { members: 1, others: {}, allowed: true, why: '1 of 1 node' },
  { members: 1, others: { x: now() }, allowed: true, why: '1 of 2 nodes' },
  { members: 1, others: { x: cordoned }, allowed: false, why: '2 of 2 nodes' },
  { members: 2, others: { x: now({ isReady: false }) }, allowed: false, why: '2 of 3 nodes' },
  { members: 18, others: { x: cordoned, y: now() }, allowed: true, why: '2 of 20 nodes' },
  { members: 18, others: { x: cordoned, y: now({ isReady: false }) }, allowed: false, why: '3 of 20 nodes' },
  { members: 19, others: { x: cordoned }, allowed: true, why: '2 of 20 nodes' },
])(
  'of $members members and Nodes $others without an agent the budget says $why',
  ({ members: count, others, ...said }) => {
    const { allowed, why } = judged(members(count), others)
    expect([allowed, why.startsWith(said.why)]).toEqual([said.allowed, true])
  },
)

test('on the only member a fix may reach further than processes when there is another Node', () => {
  const plan = planOf({ reach: 'host' })
  expect(judged(members(1), {}, plan).allowed).toBe(false)
  expect(judged(members(1), { x: now() }, plan).allowed).toBe(true)
})

test('a member without a Node is as the mesh says, and one whose Node is not Ready is down', () => {
  const { nodes } = view(members(3), { 'node-1': now(), 'node-2': now({ isReady: false }) })
  expect([...nodes].map(([name, { isDown }]) => [name, isDown])).toEqual([
    ['node-1', false],
    ['node-2', true],
    ['node-3', false],
  ])
})

test('a Node of the control plane without an agent counts, and nothing is begun on one', () => {
  const plane = { roles: ['control-plane'] }
  const of = [sampleMember(NODE, 'a', plane)]
  const judge = (nodes: Readonly<Record<string, NodeNow>>) =>
    controlPlaneOneAtATime.judge(view(of, nodes), readGuards())
  expect(judge({ x: now(plane) }).allowed).toBe(true)
  expect(judge({ x: { ...cordoned, ...plane } }).allowed).toBe(false)
  const plan = planOf({ node: 'x' })
  const refused = evaluateGuards(view(of, { x: now() }, plan), readGuards()).filter(({ allowed }) => !allowed)
  expect(refused.map(({ why }) => why)).toContain('x is no member of the mesh')
})

test('who has no agent has no faults and asks for nothing: it is none of those that are counted for that', () => {
  const strangers = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-${index}`, now()]))
  const verdicts = evaluateGuards(view(members(10), strangers), readGuards())
  const why = new Map(verdicts.map((verdict) => [verdict.guard, verdict.why]))
  expect(why.get('same-fault')).toContain('of 10 nodes')
  expect(why.get('storm')).toContain('more than 5 would')
})
