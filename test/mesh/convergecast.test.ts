/** A question to many, on virtual time: who answers, whatever happens to some of them meanwhile. */
import { expect, test } from 'vitest'
import type { Gathered } from '../../mesh/core/convergecast.ts'
import { groupsOf, HEADS_MAX } from '../../mesh/core/convergecast.ts'
import { ConvergeWorld } from '../../mesh/sim/convergecast.ts'
import { encodeGathered } from '../../mesh/wire/convergecast.ts'
import { sampleRoster } from './sample-mesh.ts'

const NODES = 500
const WITHIN_MS = 9_500
const SEEDS = [1, 2, 3]

function worldOf(seed: number, nodes = NODES, lookMs: readonly [number, number] = [50, 1_000]): ConvergeWorld {
  return new ConvergeWorld({
    roster: sampleRoster({ nodes }),
    seed,
    lookMs,
    rowOf: (node) => new TextEncoder().encode(`row of ${node}`),
    pack: (gathered) => ({ bytes: encodeGathered(gathered).length, rows: gathered.rows }),
  })
}

const namesOf = (nodes = NODES) => sampleRoster({ nodes }).members.map(({ node }) => node)

test.each([1, 2, 63, 64, 65, 500, 10_000])(
  '%i names are dealt once each, among few heads, neighbours first',
  (nodes) => {
    const names = namesOf(nodes)
    const near = new Set(names.slice(-3))
    const groups = groupsOf(names, (node) => near.has(node))
    expect(groups.flatMap(({ head, names }) => [head, ...names]).toSorted()).toEqual(names.toSorted())
    expect(groups.length).toBeLessThanOrEqual(HEADS_MAX)
    expect(groups.slice(0, near.size).every(({ head }) => near.has(head))).toBe(true)
  },
)

test.each(SEEDS)('all that live answer, once each, in few frames (seed %i)', (seed) => {
  const world = worldOf(seed)
  const inquiry = world.inquire(namesOf(), WITHIN_MS)
  expect([...inquiry.rows.keys()].toSorted()).toEqual(namesOf())
  expect(inquiry.rows.get('node-0007')?.bytes).toEqual(new TextEncoder().encode('row of node-0007'))
  expect(inquiry.refused).toBe(0)
  expect(world.frames.length).toBeLessThanOrEqual(HEADS_MAX)
  expect(world.agenda.now).toBeLessThan(WITHIN_MS / 2)
})

test.each(SEEDS)('heads that die in the middle take nobody with them (seed %i)', (seed) => {
  const world = worldOf(seed)
  const names = namesOf()
  world.agenda.at(200, () => {
    for (const head of world.askedByRoot.slice(0, 2)) world.kill(head)
    for (const node of names) if (world.random() < 0.05) world.kill(node)
  })
  const inquiry = world.inquire(names, WITHIN_MS)
  const dead = names.filter((node) => world.isDead(node))
  expect(dead.length).toBeGreaterThan(10)
  expect(names.filter((node) => !inquiry.rows.has(node) && !world.isDead(node))).toEqual([])
  expect(world.agenda.now).toBeLessThanOrEqual(WITHIN_MS)
})

test('who cannot be reached and who does not answer are told apart', () => {
  const world = worldOf(4)
  const names = namesOf()
  const [gone = '', , mute = ''] = names
  world.kill(gone)
  world.agenda.at(100, () => world.kill(mute))
  const inquiry = world.inquire(names, WITHIN_MS)
  expect(names.filter((node) => !inquiry.rows.has(node))).toEqual(
    [gone, mute].filter((node) => !inquiry.rows.has(node)),
  )
  expect(inquiry.whyMissing(gone)).toBe('unreachable')
  expect(inquiry.whyMissing(mute)).toBe('no-answer')
})

test('a look that takes longer than the time does not keep the others from being heard', () => {
  const world = worldOf(5, 200, [9_000, 60_000])
  const inquiry = world.inquire(namesOf(200), 3_000)
  expect(inquiry.rows.size).toBe(0)
  expect(new Set(namesOf(200).map((node) => inquiry.whyMissing(node)))).toEqual(new Set(['no-answer']))
  expect(world.agenda.now).toBeLessThanOrEqual(3_000)
})

test('what a liar hands on is refused, and those it lied about are asked by another', () => {
  const world = worldOf(6)
  const names = namesOf()
  const lies: Record<string, (gathered: Gathered) => Gathered> = {
    forged: ({ rows, unheard }) => ({ rows: rows.map((row) => ({ ...row, bytes: new Uint8Array([6]) })), unheard }),
    foreign: ({ rows, unheard }) => ({
      rows: rows.map((row, index) => ({ ...row, node: names[index] ?? '' })),
      unheard,
    }),
    twice: ({ rows, unheard }) => ({ rows: [...rows, ...rows], unheard }),
    slander: ({ rows }) => ({ rows: [], unheard: rows.map(({ node }) => ({ node, why: 'no-answer' as const })) }),
  }
  world.agenda.at(1, () => {
    for (const [index, lie] of Object.values(lies).entries()) world.tampers.set(world.askedByRoot[index] ?? '', lie)
  })
  const inquiry = world.inquire(names, WITHIN_MS)
  const liars = new Set(world.tampers.keys())
  expect(liars.size).toBe(4)
  expect(inquiry.refused).toBeGreaterThan(10)
  for (const [node, row] of inquiry.rows) expect(Buffer.from(row.bytes).toString()).toBe(`row of ${node}`)
  expect(names.filter((node) => !inquiry.rows.has(node) && !liars.has(node))).toEqual([])
})
