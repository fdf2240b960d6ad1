/** Plain SWIM and memberlist with Lifeguard do what their papers say, so that a comparison with them means something. */
import { describe, expect, it, test } from 'vitest'
import { around } from '../../mesh/sim/network.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { Memberlist } from '../../mesh/sim/rivals/memberlist.ts'
import { type Opinion, Opinions } from '../../mesh/sim/rivals/opinions.ts'
import type { PauseStops } from '../../mesh/sim/rivals/process.ts'
import { Swim } from '../../mesh/sim/rivals/swim.ts'
import { Stage } from '../../mesh/sim/stage.ts'

interface Built {
  readonly stage: Stage
  readonly names: readonly string[]
  readonly tell: (opinion: Opinion) => void
  readonly pauseStops: PauseStops
}

const ARMS = {
  SWIM: ({ stage, names, tell, pauseStops }: Built) => new Swim(stage, names, tell, { pauseStops }),
  memberlist: ({ stage, names, tell, pauseStops }: Built) => new Memberlist(stage, names, tell, { pauseStops }),
  'memberlist without Lifeguard': ({ stage, names, tell, pauseStops }: Built) =>
    new Memberlist(stage, names, tell, { pauseStops, hasLifeguard: false }),
}
const NAMES = ['SWIM', 'memberlist', 'memberlist without Lifeguard'] as const

/** One arm on its own stage. */
class Scene {
  readonly stage: Stage
  readonly names: readonly string[]
  readonly opinions = new Opinions()
  readonly told: Opinion[] = []
  readonly arm: Swim | Memberlist

  constructor(arm: keyof typeof ARMS, members: number, seed: number, pauseStops: PauseStops = 'all') {
    this.stage = new Stage(seed)
    const { stage } = this
    this.names = Array.from({ length: members }, (_, index) => stage.add(`node-${index + 1}`, '').name)
    const tell = (opinion: Opinion) => {
      this.told.push(opinion)
      this.opinions.hear(opinion)
    }
    this.arm = ARMS[arm]({ stage, names: this.names, tell, pauseStops })
    // Not all at the same moment of the period.
    this.passes(5_000 + seed * 137)
  }

  get now(): number {
    return this.stage.agenda.now
  }

  passes(ms: number): this {
    this.stage.agenda.runUntil(this.now + ms)
    return this
  }

  others(...nodes: readonly string[]): ReadonlySet<string> {
    return new Set(this.names.filter((name) => !nodes.includes(name)))
  }

  /** How often somebody came to hold `node` this. */
  count(node: string, state: Opinion['state']): number {
    return this.told.filter((opinion) => opinion.subject === node && opinion.state === state).length
  }
}

describe.each(NAMES)('%s', (arm) => {
  test('suspects nobody while nothing is wrong', () => {
    expect(new Scene(arm, 100, 1).passes(60_000).told).toEqual([])
  })

  test('finds a dead host in about ten seconds at 100 members, all of them, and it alone', async ({ annotate }) => {
    const took: number[] = []
    for (const seed of [1, 2, 3, 4, 5]) {
      const scene = new Scene(arm, 100, seed)
      const diedAt = scene.now
      scene.stage.setHost('node-7', 'down')
      scene.passes(40_000)
      const { first, half, all } = scene.opinions.detectionOf('node-7', diedAt, scene.others('node-7'))
      if (first === undefined || half === undefined || all === undefined) throw new Error(`seed ${seed}: not found`)
      took.push(half - diedAt)
      // A suspicion lasts eight periods, and by then most have heard of it.
      expect(first - diedAt, `seed ${seed}`).toBeGreaterThan(8_000)
      expect(all - diedAt, `seed ${seed}`).toBeLessThan(20_000)
      expect(new Set(scene.told.map(({ subject }) => subject)), `seed ${seed}`).toEqual(new Set(['node-7']))
    }
    await annotate(`half of the members after ${took.map(Math.round).join(', ')} ms (seeds 1 to 5)`)
  })

  test.each(['down', 'agentDown', 'hung'] as const)('takes a member that was %s back', (host) => {
    const scene = new Scene(arm, 50, 3)
    const died = scene.others('node-7')
    scene.stage.setHost('node-7', host)
    scene.passes(25_000)
    expect(scene.opinions.deaths(new Set(['node-7']), died)).toHaveLength(49)
    scene.stage.setHost('node-7', 'up')
    scene.passes(25_000)
    expect(scene.count('node-7', 'alive')).toBe(49)
  })

  test('takes a suspicion back that its subject refutes', () => {
    const scene = new Scene(arm, 50, 4)
    // Long enough to be probed, well within the shortest suspicion.
    scene.stage.pause('node-7', 5_000)
    scene.passes(30_000)
    expect(scene.count('node-7', 'suspect')).toBeGreaterThan(25)
    expect(scene.count('node-7', 'alive')).toBe(scene.count('node-7', 'suspect'))
    expect(scene.count('node-7', 'dead')).toBe(0)
  })

  test('costs a member the same in a group of any size', () => {
    const perMember = [50, 200].map((members) => {
      const scene = new Scene(arm, members, 1)
      const before = scene.arm.packets
      return (scene.passes(60_000).arm.packets - before) / members
    })
    // A ping and an ack in each of sixty periods.
    expect(perMember.map((packets) => Math.round(packets / 60))).toEqual([2, 2])
  })

  test('takes a member back that stood still for two minutes, which some have forgotten', () => {
    const scene = new Scene(arm, 50, 5)
    scene.stage.pause('node-7', 120_000)
    scene.passes(120_000)
    expect(scene.count('node-7', 'dead')).toBe(49)
    scene.passes(180_000)
    const last = new Map(scene.told.filter(({ subject }) => subject === 'node-7').map(({ by, state }) => [by, state]))
    expect(new Set(last.values())).toEqual(new Set(['alive']))
  })

  test('suspects many where a tenth of all packets is lost, and hears them out', () => {
    const scene = new Scene(arm, 50, 5)
    scene.stage.network.impair(around(new Set(scene.names), 0.1))
    scene.passes(120_000)
    expect(scene.told.filter(({ state }) => state === 'suspect').length).toBeGreaterThan(100)
    // Rumours reach nearly everybody: now and then somebody misses a refutation.
    expect(scene.told.filter(({ state }) => state === 'dead').length).toBeLessThan(10)
  })

  test('is the same run for the same seed, and another for another', () => {
    const run = (seed: number) => {
      const scene = new Scene(arm, 40, seed)
      scene.stage.setHost('node-3', 'down')
      scene.stage.pause('node-5', 3_000)
      return scene.passes(20_000).told
    }
    expect(run(8)).toEqual(run(8))
    expect(run(8)).not.toEqual(run(9))
  })
})

test('memberlist tries TCP where a packet is lost', () => {
  const suspected = (takesConnections: boolean) => {
    const scene = new Scene('memberlist without Lifeguard', 50, 6)
    for (const name of scene.names) scene.stage.set(name, { takesConnections })
    scene.stage.network.impair(around(new Set(scene.names), 0.1))
    return scene.passes(60_000).told.filter(({ state }) => state === 'suspect').length
  }
  expect(suspected(true) * 2).toBeLessThan(suspected(false))
})

test('with Lifeguard, who hears nobody doubts itself before it suspects them all', () => {
  const suspected = (arm: keyof typeof ARMS) => {
    const scene = new Scene(arm, 50, 7)
    scene.stage.network.impair(around(new Set(['node-7']), 1))
    return scene.passes(40_000).told.filter(({ by, state }) => by === 'node-7' && state === 'suspect').length
  }
  // One a second, and one in eight.
  expect(suspected('memberlist without Lifeguard')).toBeGreaterThan(30)
  expect(suspected('memberlist')).toBeLessThan(10)
})

describe("Lifeguard's experiment: 8 of 128 members fall silent for 0.5 to 12 s, again and again", () => {
  const MEMBERS = 128
  const SLOW = 8

  function starved(arm: keyof typeof ARMS, seed: number, pauseStops: PauseStops): Scene {
    const scene = new Scene(arm, MEMBERS, seed, pauseStops)
    const random = seededRandom(seed + 1_000)
    for (const node of scene.names.slice(0, SLOW)) {
      const again = () => {
        const ms = 500 * 24 ** random()
        scene.stage.pause(node, ms)
        scene.stage.agenda.at(scene.now + ms + 500 * random(), again)
      }
      scene.stage.agenda.at(scene.now + 5_000 * random(), again)
    }
    return scene.passes(60_000)
  }

  test.each([1, 2])('Lifeguard spares healthy members whom plain SWIM holds dead, seed %i', (seed) => {
    const [swim = 0, lifeguard = 0, without = 0] = NAMES.map((arm) => {
      const { opinions, names } = starved(arm, seed, 'messages')
      const healthy = new Set(names.slice(SLOW))
      return opinions.deaths(healthy, healthy).length
    })
    // The paper's abstract: more than 50 times fewer.
    expect(lifeguard * 50).toBeLessThan(swim)
    expect(lifeguard * 50).toBeLessThan(without)
  })

  it.each(NAMES)(
    '%s holds the slow ones dead, though their hosts are up, and nobody else where all stands still',
    (arm) => {
      const { opinions, names } = starved(arm, 1, 'all')
      const all = new Set(names)
      expect(opinions.deaths(all, all).length).toBeGreaterThan(0)
      expect(opinions.deaths(new Set(names.slice(SLOW)), all)).toEqual([])
    },
  )
})

describe('opinions', () => {
  const told = (...rows: readonly (readonly [number, string, string, Opinion['state']])[]) => {
    const opinions = new Opinions()
    for (const [at, by, subject, state] of rows) opinions.hear({ at, by, subject, state })
    return opinions
  }

  test('say when any, half and all of the observers held a member dead at once', () => {
    const opinions = told(
      [1, 'a', 'x', 'suspect'],
      [2, 'a', 'x', 'dead'],
      [3, 'a', 'x', 'alive'],
      [4, 'b', 'x', 'dead'],
      [5, 'c', 'x', 'dead'],
      [6, 'a', 'x', 'dead'],
      [7, 'd', 'x', 'dead'],
      [8, 'e', 'x', 'dead'],
    )
    const observers = new Set(['a', 'b', 'c', 'd'])
    expect(opinions.detectionOf('x', 0, observers)).toEqual({ first: 2, half: 5, all: 7 })
    // Who holds it dead already when it dies has found it at once.
    expect(opinions.detectionOf('x', 5.5, observers)).toEqual({ first: 5.5, half: 5.5, all: 7 })
    expect(opinions.detectionOf('y', 0, observers)).toEqual({ first: undefined, half: undefined, all: undefined })
  })

  test('count every false death, of these and by these', () => {
    const opinions = told([1, 'a', 'x', 'dead'], [2, 'a', 'x', 'alive'], [3, 'a', 'x', 'dead'], [4, 'b', 'y', 'dead'])
    const deaths = (subjects: readonly string[], observers: readonly string[]) =>
      opinions.deaths(new Set(subjects), new Set(observers)).map(({ at }) => at)
    expect(deaths(['x', 'y'], ['a', 'b'])).toEqual([1, 3, 4])
    expect(deaths(['x', 'y'], ['b'])).toEqual([4])
    expect(deaths(['z'], ['a', 'b'])).toEqual([])
  })
})
