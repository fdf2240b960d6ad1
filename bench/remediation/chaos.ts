/** What befalls a simulated world, at random: faults of hosts, what others do to nodes, leaders that change, what people say. */
import { withoutPause, withPause, withRelease } from '../../aggregator/permits/book.ts'
import type { Pause } from '../../remediators/guards/view.ts'
import { fallIll } from './host.ts'
import type { World } from './world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Large fleets have no more faults than one every so often, or a day of theirs would take all day. */
const FAULTS_APART_MS = 4 * MINUTE_MS

/** How often, on average; times of single nodes are shared out among all. */
type Strike = readonly [meanMs: number, strike: (world: World) => void]

export class Chaos {
  readonly #world: World
  #isOn = true

  constructor(world: World) {
    this.#world = world
    const faultsApart = Math.max(FAULTS_APART_MS, (2 * HOUR_MS) / world.fleet.places.length)
    const strikes: readonly Strike[] = [
      [faultsApart, fault],
      [8 * HOUR_MS, systemicFault],
      [HOUR_MS, meddle],
      [3 * HOUR_MS, contend],
      [2 * HOUR_MS, takeInHand],
      [4 * HOUR_MS, (one) => goDown(one, 20_000, 600_000)],
      [16 * HOUR_MS, (one) => goDown(one, HOUR_MS, 4 * HOUR_MS)],
      [HOUR_MS, cutNode],
      [4 * HOUR_MS, cutAggregator],
      [HOUR_MS, changeLeader],
      [6 * HOUR_MS, freeze],
      [6 * HOUR_MS, loseSight],
      [8 * HOUR_MS, pause],
      [8 * HOUR_MS, release],
      [HOUR_MS, jump],
      [12 * HOUR_MS, (one) => one.reconfigure()],
    ]
    elect(world, 0)
    for (const strike of strikes) this.#again(strike)
  }

  #again([meanMs, strike]: Strike): void {
    const world = this.#world
    world.later(world.dice.wait(meanMs), () => {
      if (!this.#isOn) return
      strike(world)
      this.#again([meanMs, strike])
    })
  }

  /** Nothing befalls it any more, and what did is over; what ails hosts goes on. */
  calm(): void {
    this.#isOn = false
    const world = this.#world
    world.taken.clear()
    world.cut.clear()
    world.isStale = false
    for (const aggregator of world.aggregators) {
      aggregator.isCut = false
      aggregator.frozen = undefined
      if (aggregator !== world.aggregators[0]) aggregator.leads(undefined)
    }
    elect(world, 0)
    for (const [node, agent] of world.agents) {
      agent.isFragile = false
      world.comeUp(node)
      agent.start()
    }
    world.resync(world.agents.keys())
  }
}

function someNode(world: World): string {
  return world.dice.pick(world.fleet.places)?.node ?? ''
}

function fault(world: World): void {
  fall(world, someNode(world), false)
}

function fall(world: World, node: string, isShared: boolean, sickness?: ReturnType<typeof fallIll>): void {
  const { dice } = world
  const agent = world.agents.get(node)
  if (agent === undefined) return
  const ill = sickness ?? fallIll(dice, agent.now().wall, isShared)
  const { host } = agent.init
  host.falls(ill)
  world.checker.count(isShared ? 'shared faults' : 'faults')
  world.checker.note(node, `ails: ${ill.ailment.reason}/${ill.cause}`)
  world.later(dice.between(1_000, 60_000), () => agent.report(ill.ailment.detector))
  world.later(dice.wait(3 * HOUR_MS), () => {
    if (host.sick.get(`${ill.ailment.reason}/${ill.cause}`) !== ill) return
    host.heals(`${ill.ailment.reason}/${ill.cause}`)
    agent.report(ill.ailment.detector)
  })
}

function systemicFault(world: World): void {
  const { dice } = world
  const { ailment } = fallIll(dice, '', true)
  const share = dice.between(0.2, 1)
  for (const [node, agent] of world.agents) {
    if (!dice.chance(share)) continue
    world.later(dice.between(0, 10 * MINUTE_MS), () => {
      fall(world, node, true, fallIll(dice, agent.now().wall, true, ailment))
    })
  }
}

function meddle({ agents, dice }: World): void {
  const sick = [...agents.values()].flatMap(({ init: { host } }) =>
    [...host.sick.keys()].map((what) => ({ host, what })),
  )
  const one = dice.pick(sick)
  one?.host.meddle(one.what)
}

/** For some hours somebody sets a value back soon after it is mended. */
function contend(world: World): void {
  const { dice } = world
  const agent = world.agents.get(someNode(world))
  if (agent === undefined) return
  const { ailment, cause } = fallIll(dice, '', false)
  const { host } = agent.init
  const cures = new Set(ailment.mended)
  const until = world.now() + dice.between(HOUR_MS, 5 * HOUR_MS)
  world.checker.count('foreign writers')
  const setBack = () => {
    if (world.now() > until) return
    host.falls({ ailment, cause, since: agent.now().wall, cures }, 'theirs')
    world.later(dice.between(1_000, MINUTE_MS), () => agent.report(ailment.detector))
    world.later(dice.between(MINUTE_MS, 15 * MINUTE_MS), setBack)
  }
  setBack()
}

function takeInHand(world: World): void {
  const { dice, taken } = world
  const node = someNode(world)
  if (taken.has(node)) return
  taken.set(node, dice.chance(0.5) ? 'cordoned' : 'being drained')
  world.later(dice.between(2 * MINUTE_MS, HOUR_MS), () => taken.delete(node))
}

function goDown(world: World, least: number, most: number): void {
  world.goDown(someNode(world), world.dice.between(least, most))
}

function cutNode(world: World): void {
  const { dice, cut } = world
  const nodes = dice.chance(0.3) ? world.fleet.places.map(({ node }) => node) : [someNode(world)]
  for (const node of nodes) cut.add(node)
  world.later(dice.between(5_000, 40 * MINUTE_MS), () => {
    for (const node of nodes) cut.delete(node)
    world.resync(nodes)
  })
}

function cutAggregator(world: World): void {
  const aggregator = world.dice.pick(world.aggregators)
  if (aggregator === undefined) return
  aggregator.isCut = true
  world.later(world.dice.between(5_000, 10 * MINUTE_MS), () => {
    aggregator.isCut = false
    world.resync(world.agents.keys())
  })
}

function elect(world: World, index: number): void {
  const last = Math.max(world.record.book.term, ...world.aggregators.map(({ term = 0 }) => term))
  world.aggregators[index]?.leads(last + 1)
}

/** The one before believes for a while that it leads still; with one aggregator nobody leads for a while. */
function changeLeader(world: World): void {
  const { dice, aggregators } = world
  const old = aggregators.filter(({ term }) => term !== undefined)
  const next = dice.whole(0, aggregators.length - 1)
  const stays = aggregators[next]
  const lingersMs = dice.chance(0.5) ? 25_000 : 300_000
  for (const one of old) if (one !== stays) world.later(dice.between(0, lingersMs), () => one.leads(undefined))
  if (stays !== undefined && old.includes(stays)) stays.leads(undefined)
  world.later(dice.between(0, 30_000), () => elect(world, next))
}

function freeze(world: World): void {
  const { dice } = world
  for (const aggregator of world.aggregators) {
    aggregator.frozen = 'frozen: too many at once'
    world.later(dice.between(MINUTE_MS, 20 * MINUTE_MS), () => {
      aggregator.frozen = undefined
    })
  }
}

function loseSight(world: World): void {
  world.isStale = true
  world.later(world.dice.between(MINUTE_MS, 10 * MINUTE_MS), () => {
    world.isStale = false
  })
}

function leaderOf({ aggregators }: World): World['aggregators'][number] | undefined {
  return aggregators.find(({ term }) => term !== undefined)
}

function pause(world: World): void {
  const { dice } = world
  const pool = dice.pick(world.fleet.places)?.pool
  const kinds: readonly Pause['scope'][] = [
    { kind: 'all' },
    { kind: 'node', name: someNode(world) },
    ...(pool === undefined ? [] : [{ kind: 'pool', name: pool } as const]),
  ]
  const scope = dice.pick(kinds) ?? { kind: 'all' }
  const forMs = dice.between(MINUTE_MS, HOUR_MS)
  const leader = leaderOf(world)
  if (leader === undefined) return
  const [at, until] = [0, forMs].map((ms) => new Date(leader.init.wall() + ms).toISOString()) as [string, string]
  const untilMs = world.now() + forMs
  const rest = { by: 'ada', reason: 'maintenance' }
  leader.change(
    (book) => withPause(book, { scope, ...rest, at, until }),
    (result) => {
      if (typeof result !== 'string') world.pauses = [{ scope, ...rest, until, untilMs }]
    },
  )
  if (dice.chance(0.5)) world.later(forMs / 2, () => resume(world, scope))
}

function resume(world: World, scope: Pause['scope']): void {
  // Known to be over before it is, so that no grant is held against it that came on time.
  world.pauses = []
  leaderOf(world)?.change(
    (book) => withoutPause(book, scope),
    () => {},
  )
}

function release(world: World): void {
  const leader = leaderOf(world)
  const at = new Date(leader?.init.wall() ?? 0).toISOString()
  leader?.change(
    (book) => withRelease(book, { scope: { kind: 'all' }, by: 'ada', at }),
    () => {},
  )
}

function jump(world: World): void {
  world.agents.get(someNode(world))?.jump()
}
