/** Simulates a world for some days and says what broke, and what went on. */
import type { SimAgent } from './agent.ts'
import { Chaos } from './chaos.ts'
import type { Violation } from './invariants.ts'
import { SHIPPED, type Shipped } from './shipped.ts'
import { World } from './world.ts'

export interface SimulateOptions {
  readonly seed: number
  /** Of chaos; what it left behind has six quiet hours more. */
  readonly days: number
  /** By chance, 1 to 200, when left out. */
  readonly nodes?: number
  /** In place of the code that ships. */
  readonly broken?: Partial<Shipped>
}

export interface Simulated {
  readonly seed: number
  readonly nodes: number
  readonly days: number
  readonly violations: readonly Violation[]
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>
}

const HOUR_MS = 3_600_000
const QUIET_MS = 6 * HOUR_MS
/** Every deed, and every answer, is over by then where nothing goes wrong. */
const LONG_MS = HOUR_MS / 2
/** The record keeps what ended for a day; a node whose clock was set says of what it did before that it is some hours older. */
const KEPT_MS = 20 * HOUR_MS
/** No node is down or cut off for longer, and then says what came of what it did. */
const HEARD_MS = 6 * HOUR_MS

export function simulate({ seed, days, nodes, broken = {} }: SimulateOptions): Simulated {
  const world = new World(seed, { ...SHIPPED, ...broken }, nodes)
  const chaos = new Chaos(world)
  for (let hour = 0; hour < days * 24; hour += HEARD_MS / HOUR_MS) {
    world.runFor(Math.min(HEARD_MS, (days * 24 - hour) * HOUR_MS))
    checkReported(world, HEARD_MS)
  }
  chaos.calm()
  world.runFor(QUIET_MS)
  checkReported(world, LONG_MS)
  checkEnd(world)
  const { violations, counts } = world.checker
  return { seed, nodes: world.fleet.places.length, days, violations, counts }
}

function checkEnd(world: World): void {
  const { checker, record, aggregators, agents } = world
  const now = world.now()
  for (const { permit } of record.book.grants) {
    const grantedAt = checker.permits.get(permit.id)?.grantedAt ?? 0
    if (now - grantedAt > LONG_MS) checker.fail('outstanding', permit.node, `${permit.id} is outstanding for good`)
  }
  for (const { request, at } of checker.open.values())
    if (now - at > LONG_MS) checker.fail('recorded', request.node, `${request.planId} was never answered`)
  for (const { load } of aggregators) if (load > agents.size) checker.fail('bounded', '', `${load} requests wait`)
  for (const agent of agents.values()) checkLeft(world, agent)
  for (const deed of checker.deeds.values()) {
    const { node, plan, end } = deed
    if (end !== null) continue
    const isActive = agents.get(node)?.state.fixes.some(({ remediation }) => remediation.plan.id === plan.id)
    if (!isActive) checker.fail('outcome', node, `${plan.id} was begun and forgotten`)
  }
}

/** What ended `afterMs` ago is on record, and stays there. */
function checkReported(world: World, afterMs: number): void {
  const { checker, record } = world
  const known = new Set(record.book.ended.map(({ planId, plannedAt }) => `${planId} ${plannedAt}`))
  for (const { node, plan, end, touched, endedAt } of checker.deeds.values()) {
    const agoMs = world.now() - endedAt
    if (end === null || !touched || agoMs <= afterMs || agoMs >= KEPT_MS) continue
    if (!known.has(`${plan.id} ${plan.createdAt}`))
      checker.fail('reported', node, `${plan.id} ended ${end}, not on record`)
  }
}

/** Hours after the last fault nothing is half done. */
function checkLeft({ checker }: World, agent: SimAgent): void {
  const under = agent.state.fixes.find(({ stage }) => !['waiting', 'asking', 'ended'].includes(stage.kind))
  if (under === undefined) return
  const { plan, at, phase } = under.remediation
  if (Date.parse(agent.now().wall) - Date.parse(at) > LONG_MS)
    checker.fail('outcome', agent.node, `${plan.id} is ${phase} for good`)
}
