/** What agents make of what the leader says and neighbours hand over, in whatever order it comes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../common/log.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { SettingsKeeper } from '../../node-agent/settings-keeper.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import { type Announcement, digestOf, targetOf, type Upcoming } from '../../settings/notes.ts'
import { encodeSettings, signSettings } from '../../settings/signed.ts'
import { type Reach, stagesOf } from '../../settings/stages.ts'
import { meshKey, sampleDocument } from './sample.ts'

const key = meshKey()
const NODES = ['a', 'b', 'c', 'd', 'e']
const SEED = 's'
const STAGES = stagesOf(
  NODES.map((node) => ({ node })),
  [0.2, 0.6, 1],
  SEED,
)

let dirs: string[] = []
beforeEach(() => {
  dirs = []
})
afterEach(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true })
})

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'starling-keeper-'))
  dirs.push(dir)
  return dir
}

function keeper(node: string, stateDir = newDir(), by = [key]): Promise<SettingsKeeper> {
  const registries = () => ({ detectors: builtinDetectors, remediators: builtinRemediators })
  return SettingsKeeper.load({
    stateDir,
    mesh: 'prod-a',
    verify: (bytes, signature) => by.some(({ verify }) => verify(bytes, signature)),
    registries,
    place: () => ({ node }),
    log: silentLog,
  })
}

function settings(version: number, change: Partial<SettingsDocument> = {}, by = key) {
  const bytes = encodeSettings(signSettings({ ...sampleDocument(version), ...change }, by.sign))
  return { version, bytes, digest: digestOf(bytes), named: { version, digest: digestOf(bytes) } }
}

const [one, two, three] = [settings(1), settings(2), settings(3)]
const byDigest = new Map([one, two, three].map(({ digest, bytes }) => [digest, bytes]))

function upcoming(reach: Reach | null, parts: Partial<Upcoming> = {}): Upcoming {
  const plan = { shares: [0.2, 0.6, 1], soakMs: 0, onHalt: 'hold' as const, halted: null }
  return { ...two.named, seed: SEED, reach, step: 0, ...plan, ...parts }
}

/** All that a leader says of version 2, up to its end. */
const WORDS: readonly Announcement[] = [
  { current: one.named, next: null },
  ...STAGES.map((reach, step) => ({ current: one.named, next: upcoming(reach, { step }) })),
  { current: two.named, next: null },
]

/** As its mesh does: everything that it seeks is brought, one after the other. */
function fetchAll(agent: SettingsKeeper): void {
  for (let [digest] = agent.seeks; digest !== undefined; [digest] = agent.seeks) {
    agent.take(digest, byDigest.get(digest) ?? new Uint8Array())
    agent.settle()
  }
}

describe('an agent', () => {
  test('runs a version from the stage on that it is in, and seeks it before', async () => {
    for (const node of NODES) {
      const agent = await keeper(node)
      for (const said of WORDS) {
        agent.hear(said)
        agent.settle()
        fetchAll(agent)
        expect(agent.applied.version).toBe(targetOf(said, { node }).version)
        expect(agent.holds).toContainEqual(byDigest.get(said.current.digest))
      }
    }
  })

  test('ends with the same, however late, often or seldom it hears, as long as it hears the last word once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: WORDS.length - 1 })), fc.constantFrom(...NODES), async (order, node) => {
        const agent = await keeper(node)
        let highest = 0
        for (const index of [...order, WORDS.length - 1, ...order]) {
          const said = WORDS[index]
          if (said === undefined) continue
          agent.hear(said)
          agent.settle()
          fetchAll(agent)
          expect(agent.applied.version).toBeGreaterThanOrEqual(highest)
          highest = agent.applied.version
        }
        expect(agent.applied).toEqual({ version: 2 })
      }),
      { numRuns: 30 },
    )
  })

  test('does not take up a version that was halted, and takes the one that undoes it', async () => {
    const agent = await keeper('a')
    agent.hear({ current: one.named, next: upcoming(null, { halted: 'it finds too much', step: 1 }) })
    agent.settle()
    fetchAll(agent)
    agent.hear({ current: one.named, next: upcoming(null, { step: 0 }) })
    agent.settle()
    fetchAll(agent)
    expect(agent.applied.version).toBe(1)
    agent.hear({ current: three.named, next: null })
    agent.settle()
    fetchAll(agent)
    expect(agent.applied.version).toBe(3)
  })

  test('has them after a restart, with its neighbours as well', async () => {
    const dir = newDir()
    const before = await keeper('a', dir)
    before.hear({ current: two.named, next: null })
    fetchAll(before)
    await expect.poll(async () => (await keeper('a', dir)).applied).toEqual({ version: 2 })
    const after = await keeper('a', dir)
    expect(after.holds).toEqual([two.bytes])
    after.hear({ current: two.named, next: null })
    expect(after.seeks).toEqual([])
  })

  test.each([
    ['that nobody of this mesh signed', settings(2, {}, meshKey()), /signature/],
    ['that this build cannot use', settings(2, { detectors: { conntrack: { every: '1ms' } } }), /must lie between/],
    ['for another mesh', settings(2, { mesh: 'prod-b' }), /prod-b/],
  ])('refuses settings %s, says so, and asks no more for them', async (_, bad, why) => {
    const agent = await keeper('a')
    agent.hear({ current: bad.named, next: null })
    agent.take(bad.digest, bad.bytes)
    expect(agent.settle()).toBe('refused')
    expect(agent.applied).toEqual({ version: 0, refused: { version: 2, why: expect.stringMatching(why) } })
    expect([agent.seeks, agent.settle()]).toEqual([[], 'as-before'])
  })

  test('takes what was signed anew by an aggregator of its roster, and runs nothing else by it where it has it already', async () => {
    const later = meshKey()
    const anew = settings(3, { ...sampleDocument(2), version: 3 }, later)
    for (const { by, applied } of [
      { by: [key, later], applied: { version: 2 } },
      { by: [later], applied: { version: 0, refused: { version: 2, why: expect.stringMatching(/signature/) } } },
    ]) {
      const agent = await keeper('a', newDir(), by)
      agent.hear({ current: two.named, next: null })
      agent.take(two.digest, two.bytes)
      agent.settle()
      expect(agent.applied).toEqual(applied)
      agent.hear({ current: anew.named, next: null })
      agent.take(anew.digest, anew.bytes)
      expect([agent.settle(), agent.applied]).toEqual(['taken', { version: 3 }])
      expect(agent.document).toEqual({ ...sampleDocument(2), version: 3 })
    }
  })

  test('minds other settings under the version that it has', async () => {
    const agent = await keeper('a')
    agent.hear({ current: two.named, next: null })
    fetchAll(agent)
    const other = settings(2, { detectors: {} })
    agent.hear({ current: other.named, next: upcoming({}, { version: 3 }) })
    agent.take(other.digest, other.bytes)
    expect([agent.settle(), agent.rejected?.why]).toEqual(['refused', expect.stringContaining('with other content')])
    expect(agent.applied).toEqual({ version: 2 })
  })

  test('keeps nothing that nobody named', async () => {
    const agent = await keeper('a')
    agent.take(two.digest, two.bytes)
    expect(agent.holds).toEqual([])
    agent.hear({ current: one.named, next: upcoming({}) })
    fetchAll(agent)
    expect(agent.holds).toHaveLength(2)
    agent.hear({ current: three.named, next: null })
    fetchAll(agent)
    expect(agent.holds.map(digestOf)).toEqual([three.digest])
  })
})
