/** The shipped core, up to a hundred nodes of it, on virtual time: one required outcome for each fault. */
import { describe, expect, test } from 'vitest'
import { zonesOfObservers } from '../../mesh/core/certificate.ts'
import type { Certificate } from '../../mesh/core/model.ts'
import { neededOf, tally } from '../../mesh/core/quorum.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import type { HostState } from '../../mesh/sim/stage.ts'
import { World, type WorldOptions } from '../../mesh/sim/world.ts'

/** Long enough for every observer to have its five beats. */
const BOOT_MS = 8_000

/** Protocol section 8: a silent host is marked within this. */
const VERDICT_MS = 2_500

class Scene {
  readonly world: World

  constructor(options: WorldOptions) {
    this.world = new World(options)
    this.passes(BOOT_MS)
  }

  passes(ms: number): this {
    this.world.stage.agenda.runUntil(this.world.stage.agenda.now + ms)
    return this
  }

  becomes(host: HostState, ...nodes: readonly string[]): this {
    for (const node of nodes) this.world.stage.setHost(node, host)
    return this
  }

  get verdicts(): readonly string[] {
    return this.world.commits().map(({ certificate: { subject, kind } }) => `${kind} ${subject}`)
  }

  /** Which of these kinds of notice there were, in order. */
  noticed(...kinds: readonly string[]): readonly string[] {
    return this.world.records.flatMap((record) => {
      return record.kind === 'notice' && kinds.includes(record.notice.kind) ? [record.notice.kind] : []
    })
  }
}

/** Counted again from its answers, as `starling verify` would. */
function votesIn({ subject, kind, answers, excused }: Certificate, { roster }: World): number {
  if (kind === 'Isolated') throw new Error(`${subject} was found isolated`)
  const assigned = zonesOfObservers(roster, subject)
  const names = new Set(excused.map(({ node }) => node))
  const counted = tally(
    { subject, kind, assigned, excused: names, hungMs: DEFAULT_TIMING.hostHungMs },
    answers.map(({ answer }) => answer),
  )
  return counted.kind === 'carried' ? counted.voters.length : 0
}

describe.each([
  { nodes: 100, seed: 11 },
  { nodes: 100, seed: 22 },
  { nodes: 50, seed: 33 },
  { nodes: 50, seed: 44 },
])('$nodes nodes, seed $seed', ({ nodes, seed }) => {
  const VICTIM = 'node-42'
  const OTHER = 'node-17'

  test('boot in peace; a dead host is marked, and it alone; it recovers; a dead agent is only reported', () => {
    const scene = new Scene({ nodes, zones: 3, seed })
    expect(scene.world.records).toEqual([])

    const diedAt = scene.world.stage.agenda.now
    scene.becomes('down', VICTIM).passes(10_000)
    expect(scene.verdicts).toEqual([`NodeDown ${VICTIM}`])
    const [commit] = scene.world.commits()
    if (commit === undefined) throw new Error('there is no commit')
    expect(commit.at - diedAt).toBeLessThanOrEqual(VERDICT_MS)
    expect(votesIn(commit.certificate, scene.world)).toBeGreaterThanOrEqual(neededOf(10, 10))
    expect(scene.world.leader.leader?.conditions.standing.has(VICTIM)).toBe(true)

    scene.becomes('up', VICTIM).passes(15_000)
    expect(scene.noticed('recovered')).toEqual(['recovered'])
    expect(scene.world.leader.leader?.conditions.standing.size).toBe(0)

    scene.becomes('agentDown', OTHER).passes(10_000)
    expect(scene.noticed('agentDown', 'agentUp')).toEqual(['agentDown'])
    scene.becomes('up', OTHER).passes(15_000)
    expect(scene.noticed('agentDown', 'agentUp')).toEqual(['agentDown', 'agentUp'])
    expect(scene.verdicts).toEqual([`NodeDown ${VICTIM}`])
    // Nobody else was ever so much as a candidate.
    expect(scene.noticed('candidate')).toHaveLength(1)
  })
})

describe('forty nodes', () => {
  test('mark a hung host after 25 s in which nobody heard it, not before', () => {
    const scene = new Scene({ nodes: 40, zones: 3, seed: 5 })
    const hungAt = scene.world.stage.agenda.now
    scene.becomes('hung', 'node-8').passes(35_000)
    expect(scene.verdicts).toEqual(['HostHung node-8'])
    const tookMs = (scene.world.commits()[0]?.at ?? 0) - hungAt
    // Silence is counted from the last ack, which was up to a beat before.
    expect(tookMs).toBeGreaterThanOrEqual(DEFAULT_TIMING.hostHungMs - 1_100)
    expect(tookMs).toBeLessThanOrEqual(30_000)
  })

  test('do not mark a host that hung for a shorter time', () => {
    const scene = new Scene({ nodes: 40, zones: 3, seed: 5 })
    scene.becomes('hung', 'node-8').passes(20_000).becomes('up', 'node-8').passes(30_000)
    expect(scene.verdicts).toEqual([])
  })

  test('mark a rack of three that dies as one, in one batch', () => {
    const scene = new Scene({ nodes: 40, zones: 3, seed: 6 })
    const rack = ['node-3', 'node-6', 'node-9']
    scene.becomes('down', ...rack).passes(5_000)
    expect(scene.verdicts.toSorted()).toEqual(rack.map((node) => `NodeDown ${node}`))
    const nonces = scene.world.commits().map(({ certificate }) => certificate.rollCall.rollCall.nonce)
    expect(new Set(nonces).size).toBeLessThanOrEqual(2)
  })

  test('mark a node whose agent died first and whose host died later', () => {
    const scene = new Scene({ nodes: 40, zones: 3, seed: 7 })
    scene.becomes('agentDown', 'node-8').passes(8_000)
    expect(scene.verdicts).toEqual([])
    scene.becomes('down', 'node-8').passes(5_000)
    expect(scene.verdicts).toEqual(['NodeDown node-8'])
  })

  test('say nothing when a whole third of them is lost to the rest but lives', () => {
    const scene = new Scene({ nodes: 40, zones: 3, seed: 8 })
    const third = scene.world.roster.members.filter(({ zone }) => zone === 'zone-1').map(({ node }) => node)
    scene.becomes('agentDown', ...third).passes(10_000)
    expect(scene.verdicts).toEqual([])
  })
})

describe('a small mesh', () => {
  test.each([
    { nodes: 5, dead: 1, marked: 1 },
    { nodes: 5, dead: 2, marked: 2 },
    { nodes: 5, dead: 3, marked: 0 },
    { nodes: 4, dead: 1, marked: 1 },
    { nodes: 4, dead: 2, marked: 0 },
    { nodes: 3, dead: 1, marked: 0 },
    { nodes: 2, dead: 1, marked: 0 },
    { nodes: 1, dead: 1, marked: 0 },
  ])('of $nodes marks $marked when $dead die at once', ({ nodes, dead, marked }) => {
    for (const [seed, zones] of [
      [1, 1],
      [2, 3],
      [3, 2],
    ] as const) {
      const scene = new Scene({ nodes, zones, seed })
      const victims = Array.from({ length: dead }, (_, index) => `node-${index + 1}`)
      scene.becomes('down', ...victims).passes(60_000)
      expect(scene.verdicts.toSorted()).toEqual(victims.slice(0, marked).map((node) => `NodeDown ${node}`))
    }
  })
})

test('the same seed gives the same records, and another seed others', () => {
  const recordsOf = (seed: number) => {
    const scene = new Scene({ nodes: 20, zones: 3, seed })
    return scene.becomes('down', 'node-2').passes(5_000).becomes('up', 'node-2').passes(10_000).world.records
  }
  const [first, again, other] = [recordsOf(1), recordsOf(1), recordsOf(2)]
  expect(first.length).toBeGreaterThan(3)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})
