/** When too many nodes come into question at once, nobody is marked: the rule by itself, and in a simulated mesh. */
import { describe, expect, it } from 'vitest'
import { Brake } from '../../mesh/core/brake.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Roster } from '../../mesh/core/model.ts'
import { World } from '../../mesh/sim/world.ts'

/** Every observer has its five beats by then. */
const BOOT_MS = 8_000

function brakeOf(nodes: number, zones = 1): { brake: Brake; names: readonly string[]; roster: Roster } {
  const { roster } = new World({ nodes, zones, seed: 1 })
  return { brake: new Brake(new Membership(roster)), names: roster.members.map(({ node }) => node), roster }
}

describe('the brake', () => {
  it.each([
    // One by one, 10 s apart, so that no surge plays in.
    { nodes: 5, dead: 2, freezes: false },
    { nodes: 5, dead: 3, freezes: true },
    { nodes: 20, dead: 4, freezes: false },
    { nodes: 20, dead: 5, freezes: true },
    { nodes: 100, dead: 24, freezes: false },
    { nodes: 100, dead: 25, freezes: true },
  ])('of $nodes nodes, $dead in question: frozen $freezes', ({ nodes, dead, freezes }) => {
    const { brake, names } = brakeOf(nodes)
    for (let count = 1; count <= dead; count++) brake.update(count * 10_000, new Set(names.slice(0, count)))
    expect(brake.frozen !== undefined).toBe(freezes)
    expect(brake.allowance(dead * 10_000)).toBe(freezes ? 0 : Number.POSITIVE_INFINITY)
  })

  it('freezes for most of one zone, though it is little of the fleet', () => {
    const { brake, names, roster } = brakeOf(50, 10)
    const zone = roster.members.filter((member) => member.zone === 'zone-3').map(({ node }) => node)
    expect(names.length * 0.25).toBeGreaterThan(zone.length)
    zone.slice(0, 3).forEach((_, index) => {
      brake.update(index * 10_000, new Set(zone.slice(0, index + 1)))
    })
    expect(brake.frozen).toContain('of zone zone-3')
  })

  it('freezes for a crowd within two seconds, not for the same number one after another', () => {
    const crowd = brakeOf(100)
    expect(crowd.brake.update(0, new Set(crowd.names.slice(0, 11)))).toMatchObject({ kind: 'frozen' })
    const slow = brakeOf(100)
    for (let count = 1; count <= 11; count++) slow.brake.update(count * 3_000, new Set(slow.names.slice(0, count)))
    expect(slow.brake.frozen).toBeUndefined()
  })

  it('ends after 60 s below, and then lets few verdicts through', () => {
    const { brake, names } = brakeOf(100)
    brake.update(0, new Set(names.slice(0, 40)))
    expect(brake.update(10_000, new Set(names.slice(0, 5)))).toBeUndefined()
    expect(brake.update(69_999, new Set(names.slice(0, 5)))).toBeUndefined()
    expect(brake.nextAt(69_999)).toBe(70_000)
    expect(brake.update(70_000, new Set(names.slice(0, 5)))).toMatchObject({ kind: 'thawed' })
    expect(brake.allowance(70_000)).toBe(5)
    brake.convicted(70_000)
    expect(brake.allowance(70_000)).toBe(4)
    expect(brake.allowance(130_000)).toBe(5)
    expect(brake.allowance(670_000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('starts its 60 s again when the counts rise in between', () => {
    const { brake, names } = brakeOf(100)
    brake.update(0, new Set(names.slice(0, 40)))
    brake.update(10_000, new Set())
    brake.update(60_000, new Set(names.slice(0, 40)))
    brake.update(65_000, new Set())
    expect(brake.update(75_000, new Set())).toBeUndefined()
    expect(brake.update(125_000, new Set())).toMatchObject({ kind: 'thawed' })
  })
})

describe('an operator', () => {
  /** Forty of a hundred, one by one, so that no surge plays in. */
  function frozen() {
    const { brake, names } = brakeOf(100)
    for (let count = 1; count <= 40; count++) brake.update(count * 10_000, new Set(names.slice(0, count)))
    return { brake, names, now: 400_000 }
  }

  it('ends a freeze, with a reason, and few verdicts go through at a time', () => {
    const { brake, names, now } = frozen()
    expect(brake.release(now, 'planned')).toEqual({ kind: 'thawed', why: 'planned' })
    expect([brake.frozen, brake.allowance(now)]).toEqual([undefined, 5])
    expect(brake.update(now + 10_000, new Set(names.slice(0, 40)))).toBeUndefined()
    expect(brake.update(now + 20_000, new Set(names.slice(0, 39)))).toBeUndefined()
    expect(brake.frozen).toBeUndefined()
  })

  it('cannot end what has not begun', () => {
    expect(brakeOf(100).brake.release(0, 'planned')).toBeUndefined()
  })

  it('does not keep it open when yet more nodes come into question, or when they come again after a calm', () => {
    const more = frozen()
    more.brake.release(more.now, 'planned')
    expect(more.brake.update(more.now + 10_000, new Set(more.names.slice(0, 41)))).toMatchObject({ kind: 'frozen' })
    const again = frozen()
    again.brake.release(again.now, 'planned')
    again.brake.update(again.now + 10_000, new Set())
    for (let count = 1; count <= 30; count++) {
      again.brake.update(again.now + 20_000 + count * 10_000, new Set(again.names.slice(0, count)))
    }
    expect(again.brake.frozen).toBe('25 of 100 nodes are in question')
  })
})

it('tells what would freeze it, by share and by crowd, without taking it in', () => {
  const { brake, names } = brakeOf(100)
  const first = (count: number) => new Set(names.slice(0, count))
  expect([10, 11].map((count) => brake.wouldFreeze(0, first(count)))).toEqual([false, true])
  for (let count = 1; count <= 24; count++) brake.update(count * 10_000, first(count))
  expect([24, 25].map((count) => brake.wouldFreeze(300_000, first(count)))).toEqual([false, true])
  expect(brake.frozen).toBeUndefined()
  expect(brake.update(300_000, first(24))).toBeUndefined()
})

describe('a simulated mesh', () => {
  const run = (nodes: number, zones: number, victims: (roster: Roster) => readonly string[]) => {
    const world = new World({ nodes, zones, seed: 11 })
    world.stage.agenda.runUntil(BOOT_MS)
    const dead = victims(world.roster)
    for (const node of dead) world.stage.setHost(node, 'down')
    world.stage.agenda.runUntil(BOOT_MS + 8_000)
    const marked = world.commits().map(({ certificate }) => certificate.subject)
    return { dead, marked: marked.toSorted(), frozen: world.leader.leader?.frozen, world }
  }

  it('marks nobody when one of three zones falls silent, and says why', () => {
    const { marked, frozen, world } = run(99, 3, ({ members }) =>
      members.filter(({ zone }) => zone === 'zone-1').map(({ node }) => node),
    )
    expect(marked).toEqual([])
    expect(frozen).toContain('into question')
    const brakes = world.records.filter((record) => record.kind === 'notice' && record.notice.kind === 'brake')
    expect(brakes).toHaveLength(1)
  })

  it('marks a whole rack of three of a hundred', () => {
    const { dead, marked, frozen } = run(100, 3, () => ['node-7', 'node-40', 'node-77'])
    expect(marked).toEqual(dead.toSorted())
    expect(frozen).toBeUndefined()
  })

  it('marks the 5 % that are cut off from the 95', () => {
    const { dead, marked } = run(100, 3, ({ members }) => members.slice(10, 15).map(({ node }) => node))
    expect(marked).toEqual(dead.toSorted())
  })

  it('goes on unmarking while frozen, and marks again when it has thawed', () => {
    const world = new World({ nodes: 20, zones: 1, seed: 12 })
    world.stage.agenda.runUntil(BOOT_MS)
    world.stage.setHost('node-1', 'down')
    world.stage.agenda.runUntil(BOOT_MS + 10_000)
    expect(world.commits()).toHaveLength(1)
    const crowd = ['node-2', 'node-3', 'node-4', 'node-5', 'node-6', 'node-7']
    for (const node of crowd) world.stage.setHost(node, 'down')
    world.stage.agenda.runUntil(BOOT_MS + 20_000)
    expect(world.leader.leader?.frozen).toBeDefined()
    world.stage.setHost('node-1', 'up')
    world.stage.agenda.runUntil(BOOT_MS + 70_000)
    expect(world.leader.leader?.conditions.standing.size).toBe(0)
    for (const node of crowd.slice(1)) world.stage.setHost(node, 'up')
    world.stage.agenda.runUntil(BOOT_MS + 240_000)
    expect(world.commits().map(({ certificate }) => certificate.subject)).toEqual(['node-1', 'node-2'])
  })
})
