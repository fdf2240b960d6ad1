/** The settings at the aggregators: from the file or a person to the mesh, in stages, through restarts and changes of leader. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { Chronicle } from '../../aggregator/chronicle.ts'
import type { Store } from '../../aggregator/model.ts'
import type { NodeSeen } from '../../aggregator/rollout-rules.ts'
import { SettingsInForce } from '../../aggregator/settings-in-force.ts'
import { SettingsStory } from '../../aggregator/settings-story.ts'
import { openSqliteStore } from '../../aggregator/store/sqlite.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { type KeyPair, keyPairFromSeed, newSeed, verifierOf } from '../../mesh/identity/keys.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { type Announcement, decodeAnnouncement, targetOf } from '../../settings/notes.ts'
import { SILENT_LOG } from './serve-sample.ts'

const NODES = ['a', 'b', 'c', 'd', 'e']
const BASE = { mesh: 'test', detectors: {} }
const changed = (version: number, every: string) => ({ ...BASE, version, detectors: { conntrack: { every } } })
const ILL = [{ what: 'conntrack: ConntrackFilling', key: 'conntrack/ConntrackFilling/' }]
const VIA = { via: 'api' } as const

let dir: string
let open: { stop(): void }[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-settings-'))
  open = []
  vi.useFakeTimers({ now: Date.parse('2026-03-14T09:26:53Z') })
  write({ ...BASE, version: 1 })
})
afterEach(() => {
  for (const one of open) one.stop()
  vi.useRealTimers()
  rmSync(dir, { recursive: true })
})

const write = (document: object) => writeFileSync(join(dir, 'settings.yaml'), stringify(document))

/** One life of an aggregator, and the nodes as it sees them: they take up at once what it says is for them. */
class Aggregator {
  readonly settings: SettingsInForce
  readonly said: Announcement[] = []
  readonly store: Store
  isLeader = false
  holds: readonly Uint8Array[] = []
  seeks: readonly string[] = []
  ill = new Set<string>()

  constructor(name: string, keys: KeyPair, all: readonly KeyPair[]) {
    this.store = openSqliteStore(join(dir, `${name}.sqlite`))
    this.settings = new SettingsInForce({
      file: join(dir, 'settings.yaml'),
      mesh: 'test',
      store: this.store,
      keys,
      verify: (bytes, signature) => all.some(({ publicKey }) => verifierOf(publicKey)(bytes, signature)),
      registries: () => ({ detectors: builtinDetectors, remediators: builtinRemediators }),
      log: SILENT_LOG,
    })
    this.settings.start({
      story: new SettingsStory(new Chronicle(this.store, name, () => {})),
      holds: { held: [], release: () => expect.unreachable() },
      leads: () => this.isLeader,
      publish: (_, bytes) => void this.said.push(decodeAnnouncement(bytes)),
      exchange: (holds, seeks) => {
        this.holds = holds
        this.seeks = seeks
      },
      members: () => NODES.map((node) => ({ node })),
      nodesSeen: () =>
        NODES.map((node): NodeSeen => ({ node, isLive: true, runs: this.runs(node), findings: this.found(node) })),
      applied: () => new Map(NODES.map((node) => [node, { version: this.runs(node) }])),
    })
    open.push(this)
  }

  lead(): this {
    this.isLeader = true
    this.settings.leads()
    return this
  }

  runs(node: string): number {
    const last = this.said.at(-1)
    return last === undefined ? 0 : targetOf(last, { node }).version
  }

  found(node: string) {
    return this.ill.has(node) ? ILL : []
  }

  /** Versions that the nodes run, sorted. */
  get versions(): readonly number[] {
    return NODES.map((node) => this.runs(node)).toSorted()
  }

  get events(): readonly string[] {
    return this.store.query({ kinds: ['settings'], limit: 100 }).map(({ summary }) => summary)
  }

  stop(): void {
    this.isLeader = false
    this.settings.stop()
    if (open.includes(this)) this.store.close()
    open = open.filter((one) => one !== this)
  }
}

const passes = (ms: number) => vi.advanceTimersByTime(ms)
const keyPair = () => keyPairFromSeed(newSeed())

async function leader(): Promise<Aggregator> {
  const keys = await keyPair()
  return new Aggregator('first', keys, [keys]).lead()
}

describe('a version', () => {
  it('that is the first is in force at once', async () => {
    const first = await leader()
    expect([first.versions, first.events]).toEqual([[1, 1, 1, 1, 1], ['settings version 1 in force']])
  })

  it('reaches a node, two, and then all, each stage watched for as long as it says', async () => {
    const first = await leader()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    passes(119_000)
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    passes(2_000)
    expect(first.versions).toEqual([1, 1, 1, 2, 2])
    passes(121_000)
    expect([first.versions, first.settings.document.version]).toEqual([[2, 2, 2, 2, 2], 1])
    passes(121_000)
    expect(first.settings.view()).toMatchObject({ version: 2, rollout: null, last: { version: 2, outcome: 'done' } })
    expect(first.events.at(-1)).toBe('settings version 2 in force')
  })

  it('that changes nothing on any node, or is to be everywhere at once, is', async () => {
    const first = await leader()
    first.settings.propose({ document: { ...BASE, version: 2, marking: { mode: 'condition' } }, ...VIA }, 'somebody')
    expect(first.versions).toEqual([2, 2, 2, 2, 2])
    const rollout = { stages: ['100%'], soak: '0s' } as const
    first.settings.propose(
      { document: changed(3, '20s'), rollout: { ...rollout, stages: ['100%'] }, ...VIA },
      'somebody',
    )
    expect(first.versions).toEqual([3, 3, 3, 3, 3])
  })

  it('by which its first node fares worse is halted and undone, with the evidence on record', async () => {
    const first = await leader()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(2_000)
    expect([first.versions, first.settings.document.detectors]).toEqual([[3, 3, 3, 3, 3], {}])
    expect(first.settings.view().last).toMatchObject({
      version: 2,
      outcome: 'halted',
      why: expect.stringContaining('on 1 of 1'),
    })
    const [halted] = first.store.query({ kinds: ['settings'], limit: 100 }).filter(({ tone }) => tone === 'bad')
    expect(halted?.data.evidence).toMatchObject([{ newer: { count: 1, of: 1 }, older: { count: 0, of: 4 } }])
  })

  it('that is to be held when it is halted stays where it is, until somebody goes back', async () => {
    const first = await leader()
    const document = { ...changed(2, '20s'), rollout: { onHalt: 'hold' } }
    first.settings.propose({ document, ...VIA }, 'somebody')
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(2_000)
    expect(first.settings.view().rollout).toMatchObject({
      version: 2,
      halted: expect.stringContaining('ConntrackFilling'),
    })
    passes(600_000)
    expect(first.settings.document.version).toBe(1)
    const event = first.settings.rollBack({ reason: 'too loud', ...VIA }, 'somebody')
    expect(event.summary).toBe('settings go back to version 1, as version 3, by somebody (api): too loud')
    expect(first.versions).toEqual([3, 3, 3, 3, 3])
  })

  it('is refused when it is not newer, not valid, or for another mesh, and leaves no trace', async () => {
    const first = await leader()
    const propose = (document: object) => () => first.settings.propose({ document, ...VIA }, 'somebody')
    expect(propose({ ...BASE, version: 1 })).toThrow('version 1 is too low')
    expect(propose({ ...BASE, version: 2, detectors: { conntrak: {} } })).toThrow(
      'the settings: detectors: unknown key "conntrak"',
    )
    expect(propose({ ...BASE, version: 2, mesh: 'prod-b' })).toThrow('mesh is prod-b')
    expect(() => first.settings.rollBack({ version: 9, reason: 'x', ...VIA }, 'somebody')).toThrow(
      'there is no version 9 to go back to',
    )
    expect(() => first.settings.rollBack({ reason: 'x', ...VIA }, 'somebody')).toThrow('there is no earlier version')
    expect(first.events).toEqual(['settings version 1 in force'])
  })

  it('is not below what nodes run that this aggregator has no record of', async () => {
    const first = await leader()
    vi.spyOn(first, 'runs').mockReturnValue(8)
    const propose = (version: number) => () =>
      first.settings.propose({ document: changed(version, '20s'), ...VIA }, 'x')
    expect(propose(8)).toThrow('version 8 is too low')
    expect(propose(9)).not.toThrow()
  })

  it('can be handed in and undone, whatever version a single node says that it runs', async () => {
    const first = await leader()
    const runs = first.runs.bind(first)
    vi.spyOn(first, 'runs').mockImplementation((node) => (node === 'a' ? Number.MAX_SAFE_INTEGER : runs(node)))
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    first.settings.rollBack({ reason: 'too loud', ...VIA }, 'somebody')
    expect(first.settings.document.version).toBe(3)
  })

  it('in the file is taken when it is newer, and what was handed in otherwise does not make it wrong', async () => {
    const keys = await keyPair()
    const first = new Aggregator('first', keys, [keys]).lead()
    write(changed(2, '20s'))
    first.settings.readAgain()
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    first.settings.rollBack({ reason: 'x', ...VIA }, 'somebody')
    first.stop()
    const again = new Aggregator('first', keys, [keys]).lead()
    expect([again.versions, again.events.filter((says) => says.includes('refused'))]).toEqual([[3, 3, 3, 3, 3], []])
    write(changed(2, '30s'))
    again.settings.readAgain()
    expect(again.events.at(-1)).toMatch(/^settings refused, version kept: settings version 2 is too low/)
  })
})

it('that an aggregator finds in its file at a start begins once the nodes have told what was wrong before it', async () => {
  const keys = await keyPair()
  new Aggregator('first', keys, [keys]).lead().stop()
  write(changed(2, '20s'))
  const again = new Aggregator('first', keys, [keys]).lead()
  expect(again.versions).toEqual([1, 1, 1, 1, 1])
  again.ill = new Set(NODES)
  passes(16_000)
  expect(again.versions).toEqual([1, 1, 1, 1, 2])
  passes(10_000)
  again.ill = new Set(NODES.filter((node) => again.runs(node) === 2))
  passes(400_000)
  expect(again.settings.view()).toMatchObject({ version: 2, last: { outcome: 'done' } })
})

it('in the file that cannot be begun when its turn comes is refused, and ends nothing', async () => {
  const keys = await keyPair()
  new Aggregator('first', keys, [keys]).lead().stop()
  const nodes = Array.from({ length: 1_000 }, (_, index) => `node-${String(index).padStart(240, '0')}`)
  write({ ...changed(2, '20s'), overrides: [{ selector: { nodes } }, { selector: { nodes } }] })
  const again = new Aggregator('first', keys, [keys]).lead()
  passes(16_000)
  expect([again.versions, again.events.at(-1)]).toEqual([[1, 1, 1, 1, 1], expect.stringContaining('settings refused')])
})

describe('a roll-out goes on', () => {
  it('where it was, in the next life of its aggregator', async () => {
    const keys = await keyPair()
    const first = new Aggregator('first', keys, [keys]).lead()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    passes(121_000)
    const before = first.said.at(-1)
    first.stop()
    const again = new Aggregator('first', keys, [keys]).lead()
    expect([again.versions, again.said.at(-1)]).toEqual([[1, 1, 1, 2, 2], before])
    passes(240_000)
    expect(again.settings.view()).toMatchObject({ version: 2, rollout: null })
  })

  it('where it was, under another leader, which has the documents from the mesh', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const said = first.said.at(-1)
    if (said === undefined) throw new Error('nothing was said')
    second.settings.hear(said)
    expect(second.seeks).toHaveLength(2)
    for (const bytes of first.holds) second.settings.take(bytes)
    expect(second.holds).toHaveLength(2)
    first.stop()
    second.lead()
    expect([second.versions, second.said.at(-1)]).toEqual([[1, 1, 1, 1, 2], said])
    passes(400_000)
    expect(second.settings.view()).toMatchObject({ version: 2, rollout: null })
    expect(second.settings.document.detectors).toEqual({ conntrack: { every: '20s' } })
  })

  it('backwards, where whoever halted it ended before it undid it', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const documents = first.holds
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(2_000)
    const said = first.said.find(({ next }) => next !== null && next.halted !== null)
    if (said === undefined) throw new Error('it was not halted')
    first.stop()
    second.settings.hear(said)
    for (const bytes of documents) second.settings.take(bytes)
    second.lead()
    passes(20_000)
    expect([second.versions, second.settings.document.detectors]).toEqual([[3, 3, 3, 3, 3], {}])
    expect(second.settings.view()).toMatchObject({ rollout: null, last: { version: 2, outcome: 'halted' } })
  })

  it('by how the nodes were before it, when whoever began it leads again', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.ill = new Set(NODES)
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const said = first.said.at(-1)
    if (said === undefined) throw new Error('nothing was said')
    second.settings.hear(said)
    for (const bytes of first.holds) second.settings.take(bytes)
    first.isLeader = false
    second.lead()
    passes(140_000)
    const later = second.said.at(-1)
    if (later === undefined) throw new Error('nothing more was said')
    second.isLeader = false
    first.settings.hear(later)
    first.lead()
    // What all had at the beginning, two have still: it is no news.
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(400_000)
    expect(first.settings.view()).toMatchObject({ version: 2, last: { outcome: 'done' } })
  })

  it('not by what nobody of this mesh signed, which is not asked for again', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const stranger = new Aggregator('stranger', one, [one]).lead()
    stranger.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const second = new Aggregator('second', two, [two]).lead()
    const said = stranger.said.at(-1)
    if (said === undefined) throw new Error('nothing was said')
    second.settings.hear(said)
    expect(second.seeks).toHaveLength(2)
    for (const bytes of stranger.holds) second.settings.take(bytes)
    expect([second.seeks, second.settings.view().version, second.settings.view().rollout]).toEqual([[], 1, null])
  })
})
