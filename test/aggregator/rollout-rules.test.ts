import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJump } from '../../aggregator/jump.ts'
import { type Before, before, judgeStage, type NodeSeen } from '../../aggregator/rollout-rules.ts'
import type { Upcoming } from '../../settings/notes.ts'
import { isReached, stagesOf } from '../../settings/stages.ts'

const SEED = 's'
const SOAK_MS = 120_000
const WELL: Before = { down: [], findings: {} }
const FULL = { what: 'disk-usage: DiskAlmostFull', key: 'disk-usage/DiskAlmostFull//var' }

/** So many nodes, all well and on version 6; version 7 is for the first stage of them. */
function stage(count: number, shares: readonly number[] = [0.05, 1], step = 0) {
  const names = Array.from({ length: count }, (_, index) => `node-${index}`)
  const reach =
    stagesOf(
      names.map((node) => ({ node })),
      shares,
      SEED,
    )[step] ?? null
  const next: Upcoming = {
    version: 7,
    digest: 'ab'.repeat(32),
    seed: SEED,
    reach,
    step,
    shares: [...shares],
    soakMs: SOAK_MS,
    onHalt: 'rollback',
    halted: null,
  }
  const isNewer = (node: string) => isReached(reach, SEED, { node })
  const newer = names.filter(isNewer)
  const older = names.filter((node) => !isNewer(node))
  const nodes = (change: Readonly<Record<string, Partial<NodeSeen>>> = {}): readonly NodeSeen[] =>
    names.map((node) => ({ node, isLive: true, runs: isNewer(node) ? 7 : 6, findings: [], ...change[node] }))
  return { next, newer, older, nodes }
}

const all = (names: readonly string[], parts: Partial<NodeSeen>) =>
  Object.fromEntries(names.map((name) => [name, parts]))

describe('a jump', () => {
  test.each([
    [1, 1, 0, 99, true],
    [1, 1, 0, 0, true],
    [1, 9, 0, 90, true],
    [1, 10, 0, 90, false],
    [2, 10, 0, 90, true],
    [2, 50, 1, 950, false],
    [3, 50, 1, 950, true],
    [11, 500, 0, 500, false],
    [12, 500, 0, 500, true],
    [0, 5, 0, 95, false],
    [5, 5, 95, 95, false],
    [1, 1, 20, 100, false],
  ])('is %i of %i against %i of %i: %s', (count, of, others, ofOthers, answer) => {
    expect(isJump({ count, of }, { count: others, of: ofOthers })).toBe(answer)
  })

  test('is none the sooner for more trouble elsewhere, and none the later for more here', () => {
    const share = fc.nat({ max: 50 }).chain((of) => fc.record({ count: fc.nat({ max: of }), of: fc.constant(of) }))
    fc.assert(
      fc.property(share, share, (newer, older) => {
        if (!isJump(newer, older)) return
        if (newer.count < newer.of) expect(isJump({ ...newer, count: newer.count + 1 }, older)).toBe(true)
        if (older.count > 0) expect(isJump(newer, { ...older, count: older.count - 1 })).toBe(true)
      }),
    )
  })
})

describe('a stage', () => {
  test('waits while it is watched, goes on when it was, and the last is the end', () => {
    const { next, nodes, newer } = stage(40)
    expect(newer).toHaveLength(2)
    expect(judgeStage(next, nodes(), WELL, SOAK_MS - 1)).toEqual({ kind: 'wait' })
    expect(judgeStage(next, nodes(), WELL, SOAK_MS)).toEqual({ kind: 'advance', reach: null })
    expect(judgeStage({ ...next, reach: null }, nodes(all(stage(40).older, { runs: 7 })), WELL, SOAK_MS)).toEqual({
      kind: 'done',
    })
  })

  test('waits for nodes that live and do not run it yet, and not for those that are down', () => {
    const { next, nodes, newer } = stage(40)
    const late = { ...next, soakMs: 1_000 }
    expect(judgeStage(late, nodes(all(newer, { runs: 6 })), WELL, 30_000)).toEqual({ kind: 'wait' })
    const was = { ...WELL, down: newer }
    expect(judgeStage(late, nodes(all(newer, { runs: 6, isLive: false })), was, 1_000).kind).toBe('advance')
  })

  test.each<[string, Partial<NodeSeen>, string]>([
    ['find something new', { findings: [FULL] }, 'disk-usage: DiskAlmostFull on 1 of 1'],
    [
      'see nothing any more',
      { findings: [{ what: 'oom: ProbeFailed (unknown)', key: 'oom/ProbeFailed/' }] },
      'oom: ProbeFailed (unknown) on 1 of 1',
    ],
    ['die', { isLive: false }, 'gone or down on 1 of 1'],
    ['refuse it', { runs: 6, refused: { version: 7, why: 'no such option' } }, 'refused: no such option on 1 of 1'],
    ['do not take it up', { runs: 6 }, 'not taken up on 1 of 1'],
  ])('is halted when its nodes %s', (_, parts, why) => {
    const { next, nodes, newer } = stage(20)
    const outcome = judgeStage(next, nodes(all(newer, parts)), WELL, 60_000)
    expect(outcome).toMatchObject({ kind: 'halt', why: `${why} with version 7 (${newer[0]}), on 0 of 19 others` })
  })

  test('is not halted by what was there before, or befalls the others as well, or one of many', () => {
    const { next, nodes, newer, older } = stage(20)
    const ill = nodes(all(newer, { findings: [FULL] }))
    expect(judgeStage(next, ill, before(ill), 1_000)).toEqual({ kind: 'wait' })
    expect(judgeStage(next, nodes(all([...newer, ...older], { findings: [FULL] })), WELL, 1_000)).toEqual({
      kind: 'wait',
    })
    const many = stage(400, [0.05, 1])
    expect(many.newer).toHaveLength(20)
    expect(judgeStage(many.next, many.nodes(all(many.newer.slice(0, 1), { findings: [FULL] })), WELL, 1)).toEqual({
      kind: 'wait',
    })
  })

  test('waits for a detector that saw nothing once, and is halted when it goes on', () => {
    const { next, nodes, newer } = stage(3)
    const blip = { what: 'disk-usage: ProbeFailed (unknown)', key: 'disk-usage/ProbeFailed/', isOnce: true }
    const at = (isOnce: boolean, forMs: number) =>
      judgeStage(next, nodes(all(newer, { findings: [{ ...blip, isOnce }] })), WELL, forMs).kind
    expect([at(true, 10_000), at(true, SOAK_MS), at(true, SOAK_MS + 60_000)]).toEqual(['wait', 'wait', 'halt'])
    expect(at(false, 10_000)).toBe('halt')
    expect(judgeStage(next, nodes(), WELL, SOAK_MS).kind).toBe('advance')
  })

  test('is halted when many are ill, each in its own way', () => {
    const { next, nodes, newer } = stage(400, [0.05, 1])
    const own = newer.slice(0, 5).map((node, index) => {
      const what = `detector-${index}: Fault`
      return [node, { findings: [{ what, key: what }] }] as const
    })
    const outcome = judgeStage(next, nodes(Object.fromEntries(own)), WELL, 1_000)
    expect(outcome).toMatchObject({ kind: 'halt', why: expect.stringMatching(/^something new wrong on 5 of 20/) })
  })

  test('that another leader saw begin is judged against the others alone, and by all that is wrong where there are none', () => {
    const { next, nodes, newer, older } = stage(20)
    expect(judgeStage(next, nodes(all(newer, { findings: [FULL] })), null, 1_000).kind).toBe('halt')
    expect(judgeStage(next, nodes(all([...newer, ...older], { findings: [FULL] })), null, 1_000).kind).toBe('wait')
    const last = { ...next, reach: null }
    const everywhere = (parts: Partial<NodeSeen>) => nodes(all([...newer, ...older], { runs: 7, ...parts }))
    expect(judgeStage(last, everywhere({}), null, SOAK_MS - 1).kind).toBe('wait')
    expect(judgeStage(last, everywhere({}), null, SOAK_MS).kind).toBe('done')
    expect(judgeStage(last, everywhere({ findings: [FULL] }), null, 1_000)).toMatchObject({
      kind: 'halt',
      why: expect.stringMatching(/^disk-usage.*: only the aggregator that began it knew how they were before$/),
    })
  })

  test('never goes on or ends while one of its nodes is new in trouble in a small mesh, and always ends when all are well', () => {
    const findings = fc.constantFrom([], [FULL])
    fc.assert(
      fc.property(
        // One fault halts up to 9 nodes; of more it may be what befalls one in a hundred (isJump).
        fc.integer({ min: 1, max: 9 }),
        fc.array(findings, { minLength: 9, maxLength: 9 }),
        (count, found) => {
          let { next, nodes } = stage(count)
          for (let step = 0; step < 10; step++) {
            const seen = nodes().map((node, index) => ({ ...node, runs: 7, findings: found[index] ?? [] }))
            const newer = seen.filter((node) => isReached(next.reach, SEED, node))
            const outcome = judgeStage(next, seen, WELL, SOAK_MS)
            if (outcome.kind === 'halt') {
              expect(newer.some((node) => node.findings.length > 0)).toBe(true)
              return
            }
            const others = seen.filter((node) => !newer.includes(node))
            if (others.every((node) => node.findings.length === 0))
              expect(newer.every((node) => node.findings.length === 0)).toBe(true)
            if (outcome.kind === 'done') return
            expect(outcome.kind).toBe('advance')
            if (outcome.kind === 'advance') next = { ...next, reach: outcome.reach }
          }
          throw new Error('it does not end')
        },
      ),
    )
  })
})
