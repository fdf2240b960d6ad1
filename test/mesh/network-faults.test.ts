/** Faults of the network and of processes, on the shipped core: whoever is healthy is not marked, whatever the others see. */
import { describe, expect, it } from 'vitest'
import { around, between } from '../../mesh/sim/network.ts'
import { World } from '../../mesh/sim/world.ts'

/** Every observer has its five beats, and its paths are known to answer. */
const BOOT_MS = 10_000

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

function bootedWorld(nodes: number, seed: number): World {
  const world = new World({ nodes, zones: nodes > 10 ? 3 : 1, seed })
  // Not all at the same moment of the beat.
  world.stage.agenda.runUntil(BOOT_MS + seed * 137)
  return world
}

function passes(world: World, ms: number): void {
  world.stage.agenda.runUntil(world.stage.agenda.now + ms)
}

const marked = (world: World) => world.commits().map(({ certificate }) => certificate.subject)
const noticed = (world: World, kind: string) =>
  world.records.filter((record) => record.kind === 'notice' && record.notice.kind === kind)

describe('nobody is marked', () => {
  it.each([5, 32])('when one of %i hosts answers nothing for 1.15 s', (nodes) => {
    for (const seed of SEEDS) {
      const world = bootedWorld(nodes, seed)
      const heal = world.stage.network.impair(around(new Set(['node-3']), 1))
      world.stage.pause('node-3', 1_150)
      passes(world, 1_150)
      heal()
      passes(world, 6_000)
      expect([seed, marked(world)]).toEqual([seed, []])
    }
  })

  it('when all but one of its observers have lost a node, and that one hears it', () => {
    for (const seed of SEEDS) {
      const world = bootedWorld(5, seed)
      const deaf = new Set(['node-1', 'node-2', 'node-4'])
      world.stage.network.impair(between(deaf, new Set(['node-3']), 1, false))
      passes(world, 20_000)
      expect([seed, marked(world)]).toEqual([seed, []])
    }
  })

  it.each([4_000, 8_000])('when the whole network was silent for %i ms and is back', (ms) => {
    for (const seed of SEEDS.slice(0, 4)) {
      const world = bootedWorld(32, seed)
      const heal = world.stage.network.impair({ loss: 1, appliesTo: () => true })
      passes(world, ms)
      heal()
      passes(world, 10_000)
      // Not for the brake's sake: who can reach nobody has no vote to begin with.
      expect([seed, marked(world), noticed(world, 'suspected')]).toEqual([seed, [], []])
    }
  })

  it.each([600, 1_500, 40_000])('when all processes stood still for %i ms, as on a suspended machine', (ms) => {
    for (const seed of SEEDS.slice(0, 4)) {
      const world = bootedWorld(5, seed)
      for (const { node } of [...world.roster.members, ...world.roster.aggregators]) world.stage.pause(node, ms)
      passes(world, ms + 10_000)
      expect([seed, marked(world), noticed(world, 'candidate')]).toEqual([seed, [], []])
    }
  })

  it('when one process stands still for seconds, again and again, and its host answers', () => {
    for (const seed of SEEDS.slice(0, 4)) {
      const world = bootedWorld(32, seed)
      for (let round = 0; round < 6; round++) {
        world.stage.pause('node-5', 2_500)
        passes(world, 2_600)
      }
      expect([seed, marked(world)]).toEqual([seed, []])
    }
  })
})

it('an agent that is down stays so through a pause of everybody else', () => {
  for (const seed of SEEDS) {
    const world = bootedWorld(5, seed)
    world.stage.setHost('node-3', 'agentDown')
    passes(world, 8_000)
    for (const { node } of [...world.roster.members, ...world.roster.aggregators]) world.stage.pause(node, 1_500)
    passes(world, 10_000)
    expect([seed, noticed(world, 'agentDown').length, noticed(world, 'agentUp').length]).toEqual([seed, 1, 0])
  }
})

it('a node whose cable is pulled is marked, and marks nobody', () => {
  for (const seed of SEEDS.slice(0, 4)) {
    const world = bootedWorld(5, seed)
    const heal = world.stage.network.impair(around(new Set(['node-2']), 1))
    passes(world, 15_000)
    expect([seed, marked(world)]).toEqual([seed, ['node-2']])
    heal()
    passes(world, 60_000)
    expect([seed, marked(world), noticed(world, 'recovered').length]).toEqual([seed, ['node-2'], 1])
  }
})
