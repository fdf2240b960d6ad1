/** What the simulated world does when machines stop and start, and that it stands in for the real one where it must. */
import { describe, expect, it } from 'vitest'
import { around } from '../../mesh/sim/network.ts'
import { Signatures } from '../../mesh/sim/signatures.ts'
import { Stage } from '../../mesh/sim/stage.ts'
import { World } from '../../mesh/sim/world.ts'

const BOOT_MS = 8_000
const LEADER = 'aggregator-1'

function booted(seed = 1, nodes = 12): World {
  const world = new World({ nodes, zones: 3, seed })
  return passes(world, BOOT_MS)
}

function passes(world: World, ms: number): World {
  world.stage.agenda.runUntil(world.stage.agenda.now + ms)
  return world
}

const noticed = (world: World, kind: string) =>
  world.records.filter((record) => record.kind === 'notice' && record.notice.kind === kind).length
const marked = (world: World) => world.commits().map(({ certificate }) => certificate.subject)

describe('the leader', () => {
  it('that starts again leads in a later term, with the verdicts that stand', () => {
    const world = booted()
    for (const node of ['node-2', 'node-7']) world.stage.setHost(node, 'down')
    passes(world, 10_000)
    expect(marked(world).toSorted()).toEqual(['node-2', 'node-7'])
    world.stage.setHost('node-7', 'up')
    passes(world, 20_000)
    expect(noticed(world, 'recovered')).toBe(1)

    const before = world.leader
    world.stage.setHost(LEADER, 'agentDown')
    passes(world, 3_000)
    world.stage.setHost(LEADER, 'up')
    expect(passes(world, 1).leader).not.toBe(before)
    expect([...(world.leader.leader?.conditions.standing.keys() ?? [])]).toEqual(['node-2'])

    passes(world, 10_000)
    world.stage.setHost('node-4', 'down')
    passes(world, 10_000)
    expect(world.commits().at(-1)?.certificate).toMatchObject({
      subject: 'node-4',
      rollCall: { rollCall: { term: 2 } },
    })
    world.stage.setHost('node-2', 'up')
    passes(world, 30_000)
    expect(noticed(world, 'recovered')).toBe(2)
  })

  it('that was down with its host finds its mesh again', () => {
    const world = booted()
    world.stage.setHost(LEADER, 'down')
    passes(world, 10_000)
    world.stage.setHost(LEADER, 'up')
    passes(world, 15_000)
    world.stage.setHost('node-3', 'down')
    expect(marked(passes(world, 10_000))).toEqual(['node-3'])
  })
})

describe('a node', () => {
  it.each(['down', 'agentDown'] as const)(
    'whose host was %s begins a new life, and a hung one goes on where it was',
    (host) => {
      const world = booted()
      const [dead, hung] = [world.core('node-1'), world.core('node-2')]
      world.stage.setHost('node-1', host)
      world.stage.setHost('node-2', 'hung')
      passes(world, 2_000)
      for (const node of ['node-1', 'node-2']) world.stage.setHost(node, 'up')
      passes(world, 15_000)
      expect(world.core('node-1')).not.toBe(dead)
      expect(world.core('node-1').incarnation.boot).toBe(2)
      expect(world.core('node-2')).toBe(hung)
      expect(world.core('node-2').incarnation.boot).toBe(1)
      expect(marked(world)).not.toContain('node-2')
      expect(world.core('node-2').observer.convictable(world.stage.agenda.now)).toContain('node-1')
    },
  )

  it('can tell what it holds its subjects for', () => {
    const world = booted()
    passes(world, 10_000)
    const votes = () => world.core('node-2').observer.votes(world.stage.agenda.now)
    const opinions = () => Object.fromEntries(votes().map(({ subject, opinion }) => [subject, opinion]))
    expect(opinions()).toMatchObject({ 'node-1': 'Alive', 'node-3': 'Alive' })
    world.stage.setHost('node-1', 'down')
    passes(world, 10_000)
    expect(opinions()).toMatchObject({ 'node-1': 'NodeDown', 'node-3': 'Alive' })
  })

  it('whose agent dies behind a firewall, or with its connection table full, is not marked', () => {
    const world = booted()
    world.stage.set('node-1', { closedPorts: 'drop' })
    world.stage.set('node-2', { takesConnections: false })
    // Long enough for the paths that swallow everything to be found out while the node is well.
    passes(world, 70_000)
    for (const node of ['node-1', 'node-2']) world.stage.setHost(node, 'agentDown')
    passes(world, 15_000)
    expect(marked(world)).toEqual([])
    expect(noticed(world, 'agentDown')).toBeGreaterThanOrEqual(1)
  })
})

it('shares a stage that it is given, and tells of every message that goes out', () => {
  const stage = new Stage(4)
  let told = 0
  const ways = new Set<string>()
  const world = new World({
    ...{ nodes: 5, zones: 1, seed: 4, stage },
    onSend: (message, from, to) => {
      told++
      ways.add(`${message.kind} ${from} ${to}`)
    },
  })
  passes(world, 3_000)
  expect(world.stage).toBe(stage)
  expect(told).toBe(world.messages)
  expect(ways).toContain('probe node-1 node-2')
  expect(ways).toContain('ack node-2 node-1')
})

it('gives the same records for the same seed, also through loss, hanging and restarts', () => {
  const recordsOf = (seed: number) => {
    const world = booted(seed)
    const heal = world.stage.network.impair(around(new Set(['node-1', 'node-2', 'node-3']), 0.3))
    world.stage.setHost('node-4', 'down')
    passes(world, 8_000)
    heal()
    world.stage.setHost('node-5', 'hung')
    world.stage.setHost('node-4', 'up')
    passes(world, 35_000)
    world.stage.setHost('node-5', 'up')
    return [world.messages, passes(world, 10_000).records] as const
  }
  const [first, again, other] = [recordsOf(1), recordsOf(1), recordsOf(2)]
  expect(first[1].length).toBeGreaterThan(3)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

it('signs with bytes that no other signature has, good for one signer, purpose and content', () => {
  const signatures = new Signatures()
  const keyring = signatures.keyringOf('node-1')
  const payload = { some: 'thing' }
  const [one, two] = [keyring.sign('answer', payload), keyring.sign('answer', payload)]
  expect(Buffer.compare(one, two)).not.toBe(0)
  expect(one).toHaveLength(64)
  expect(keyring.verify('node-1', 'answer', payload, one)).toBe(true)
  expect(keyring.verify('node-2', 'answer', payload, one)).toBe(false)
  expect(keyring.verify('node-1', 'verdict', payload, one)).toBe(false)
  expect(keyring.verify('node-1', 'answer', { ...payload }, one)).toBe(true)
  expect(keyring.verify('node-1', 'answer', { some: 'other' }, one)).toBe(false)
  expect(keyring.verify('node-1', 'answer', payload, new Uint8Array(one))).toBe(false)
})
