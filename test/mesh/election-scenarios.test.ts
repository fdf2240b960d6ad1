/** Several aggregators of the shipped core elect one of them with the shipped election, and things befall it. */
import { describe, expect, test } from 'vitest'
import { Scene } from '../../mesh/sim/election/scene.ts'
import { around, between } from '../../mesh/sim/network.ts'

const NODES = 20
/** docs/protocol.md section 6. */
const KILLED_MS = 5_000
const DEAD_MS = 12_000
/** Three roll-calls 5 s apart, and the Lease is kept for 3 s more. */
const RESIGNED_MS = 20_000
const LEASE_MS = 8_000
const SEEDS = [1, 2, 3, 4]

const scene = (seed: number, aggregators = 3, nodes = NODES) => new Scene({ nodes, aggregators, seed })
const marked = ({ world }: Scene) => world.commits().map(({ certificate }) => certificate.subject)

/** A host dies and is marked: then this leader has all that it takes. */
function marks(one: Scene, node: string): void {
  const before = marked(one).length
  one.world.stage.setHost(node, 'down')
  expect(one.waitsFor(() => marked(one).length > before, 5_000)).toBeDefined()
  expect(marked(one).slice(before)).toEqual([node])
}

describe.each(SEEDS)('seed %i', (seed) => {
  test('one of three leads, in the mesh as by the Lease, and the others stand by', () => {
    const one = scene(seed)
    expect(one.leaders).toEqual(one.writers)
    expect(one.leaders).toHaveLength(1)
    expect(one.world.records).toEqual([])
    marks(one, 'node-3')
    one.passes(30_000)
    expect(one.mostWriters).toBe(1)
  })

  test('the leader’s process is killed: another has its verdicts, its mesh, and marks', () => {
    const one = scene(seed)
    marks(one, 'node-3')
    expect(one.takeOver('processKilled', KILLED_MS)).toBeDefined()
    const { leader } = one
    expect([...(one.world.core(leader).leader?.conditions.standing.keys() ?? [])]).toEqual(['node-3'])
    marks(one, 'node-5')
    one.world.stage.setHost('node-3', 'up')
    one.passes(20_000)
    expect([...(one.world.core(leader).leader?.conditions.standing.keys() ?? [])]).toEqual(['node-5'])
  })

  test('a host that died while nobody led is marked once somebody does: what was said is said again', () => {
    const one = scene(seed)
    one.world.stage.setHost('node-4', 'down')
    // After the silence, before the roll-call that would have convicted it.
    one.passes(1_200)
    expect(one.takeOver('processKilled', KILLED_MS)).toBeDefined()
    expect(one.waitsFor(() => marked(one).includes('node-4'), 2_000)).toBeDefined()
  })

  test('who had left has left for the next leader, too, for as long as it said, or until it is back', () => {
    const one = scene(seed)
    const { world } = one
    for (const node of ['node-3', 'node-4']) {
      world.leave(node, 'update', 120_000)
      one.passes(100)
      world.stage.setHost(node, 'agentDown')
    }
    // Longer than members remember what else they passed up.
    one.passes(70_000)
    expect(one.takeOver('processKilled', KILLED_MS)).toBeDefined()
    const left = () => ['node-3', 'node-4', 'node-5'].filter((node) => world.core(one.leader).leader?.hasLeft(node))
    expect(one.waitsFor(() => left().length > 0, 1_000)).toBeDefined()
    one.passes(1_000)
    expect(left()).toEqual(['node-3', 'node-4'])
    world.stage.setHost('node-3', 'up')
    one.passes(10_000)
    expect(left()).toEqual(['node-4'])
    one.passes(40_000)
    expect(left()).toEqual([])
    expect(marked(one)).toEqual([])
  })

  test('the leader’s host dies: by expiry alone', () => {
    const one = scene(seed)
    const took = one.takeOver('hostDead', DEAD_MS)
    expect(took).toBeGreaterThanOrEqual(LEASE_MS - 2_000)
    marks(one, 'node-5')
  })

  test('the leader is stopped for three durations: when it wakes up it may not write, and it leads no more', () => {
    const one = scene(seed)
    const before = one.leader
    expect(one.takeOver('paused', DEAD_MS)).toBeDefined()
    const { leader } = one
    // It sleeps for 24 s: until it wakes up its core does not know.
    expect(one.waitsFor(() => one.leaders.length === 1, 25_000)).toBeDefined()
    one.passes(20_000)
    expect([one.mostWriters, one.leaders, one.leader]).toEqual([1, [leader], leader])
    expect(leader).not.toBe(before)
    marks(one, 'node-5')
  })

  test('the API server is away for a minute: the leader stays, detects, and may not write meanwhile', () => {
    const one = scene(seed)
    const { leader } = one
    one.api.isUp = false
    one.passes(6_000)
    expect(one.writers).toEqual([])
    marks(one, 'node-3')
    one.passes(60_000)
    one.api.isUp = true
    expect(one.waitsFor(() => one.writers.length > 0, 5_000)).toBeDefined()
    expect([one.leader, one.leaders]).toEqual([leader, [leader]])
    one.passes(20_000)
    expect(one.mostWriters).toBe(1)
  })

  test('the leader does not reach the API server: another takes over, and the mesh follows it alone', () => {
    const one = scene(seed)
    const before = one.leader
    expect(one.takeOver('cutFromApi', DEAD_MS)).toBeDefined()
    expect(one.waitsFor(() => one.leaders.length === 1, 1_000)).toBeDefined()
    expect(one.leader).not.toBe(before)
    marks(one, 'node-5')
  })

  test('the leader is cut from half of the mesh: it marks nothing, resigns, and nobody else qualifies', () => {
    const one = scene(seed)
    expect(one.takeOver('cutFromHalf', RESIGNED_MS)).toBeUndefined()
    one.passes(15_000)
    expect([marked(one), one.writers, one.leaders]).toEqual([[], [], []])
    expect(one.notices).toContainEqual(expect.objectContaining({ kind: 'noQuorumLeader', open: true }))
    expect(one.api.server.read()?.holder).toBe('')
  })

  test('the leader is left with a few: it resigns, and one with the others takes over', () => {
    const one = scene(seed)
    const { leader, aggregators, world } = one
    const few = new Set(world.roster.members.slice(0, 4).map(({ node }) => node))
    const many = new Set(world.roster.members.slice(4).map(({ node }) => node))
    const others = aggregators.filter((node) => node !== leader)
    world.stage.network.impair(between(new Set([...few, leader]), new Set([...many, ...others]), 1, false))
    expect(one.waitsFor(() => one.writers.some((node) => node !== leader), RESIGNED_MS + 5_000)).toBeDefined()
    expect(one.leaders).toHaveLength(1)
    expect(one.mostWriters).toBe(1)
  })

  test('two stand by when the leader is killed: one of them leads, once', () => {
    const one = scene(seed)
    one.takeOver('processKilled', KILLED_MS)
    const term = one.world.replica(one.leader).election.term
    one.passes(30_000)
    expect([one.mostWriters, one.leaders.length, one.world.replica(one.leader).election.term]).toEqual([1, 1, term])
  })

  test('all but one aggregator are gone, and that one starts anew: it leads again', () => {
    const one = scene(seed, 1)
    const [only = ''] = one.aggregators
    one.world.stage.setHost(only, 'agentDown')
    one.passes(1_000)
    one.world.stage.setHost(only, 'up')
    expect(one.waitsFor(() => one.writers.length === 1, KILLED_MS)).toBeDefined()
    marks(one, 'node-5')
  })

  test('the Lease is removed and every record of terms is lost: members show the later term to whoever asks', () => {
    const one = scene(seed)
    for (let round = 0; round < 2; round++) {
      const { leader } = one
      one.takeOver('processKilled', KILLED_MS)
      one.world.stage.setHost(leader, 'up')
      one.passes(5_000)
    }
    for (const node of one.aggregators) one.world.stage.setHost(node, 'agentDown')
    one.api.server.remove()
    const [last = ''] = one.aggregators
    one.passes(1_000).world.stage.setHost(last, 'up')
    expect(one.waitsFor(() => one.writers.length === 1, DEAD_MS)).toBeDefined()
    expect(one.world.replica(last).election.term).toBeGreaterThan(3)
    marks(one, 'node-5')
  })

  test('nobody reaches a majority: nobody leads, people are told, and it is over when the mesh is whole again', () => {
    const one = scene(seed)
    const heal = one.world.stage.network.impair(around(new Set(one.aggregators), 1))
    one.passes(40_000)
    expect([one.leaders, marked(one)]).toEqual([[], []])
    expect(one.notices.at(-1)).toMatchObject({ kind: 'noQuorumLeader', open: true })
    heal()
    expect(one.waitsFor(() => one.writers.length === 1, DEAD_MS)).toBeDefined()
    expect(one.notices.at(-1)).toMatchObject({ kind: 'noQuorumLeader', open: false })
    one.passes(10_000)
    expect(marked(one)).toEqual([])
  })
})
