/** Aggregators as tests of the settings have them: each with its store and the file, among nodes that obey at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { stringify } from 'yaml'
import { Chronicle } from '../../aggregator/chronicle.ts'
import type { Journal } from '../../aggregator/model.ts'
import type { NodeSeen } from '../../aggregator/rollout-rules.ts'
import { SettingsInForce } from '../../aggregator/settings-in-force.ts'
import { SettingsStory } from '../../aggregator/settings-story.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { type KeyPair, keyPairFromSeed, newSeed, verifierOf } from '../../mesh/identity/keys.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { type Announcement, decodeAnnouncement, targetOf } from '../../settings/notes.ts'
import type { RolloutSettings } from '../../settings/stages.ts'
import { SILENT_LOG } from './serve-sample.ts'

export const NODES = ['a', 'b', 'c', 'd', 'e']
export const BASE = { mesh: 'test', detectors: {} }
export const changed = (version: number, every: string) => ({ ...BASE, version, detectors: { conntrack: { every } } })
const ILL = [{ what: 'conntrack: ConntrackFilling', key: 'conntrack/ConntrackFilling/' }]
export const VIA = { via: 'api' } as const

let dir: string
let open: { stop(): void }[]

/** Before each test: an empty folder, a clock of its own, and version 1 in the file. */
export function beginAggregators(): void {
  dir = mkdtempSync(join(tmpdir(), 'starling-settings-'))
  open = []
  vi.useFakeTimers({ now: Date.parse('2026-03-14T09:26:53Z') })
  write({ ...BASE, version: 1 })
}

/** After each test. */
export function endAggregators(): void {
  for (const one of open) one.stop()
  vi.useRealTimers()
  rmSync(dir, { recursive: true })
}

export const write = (document: object) => writeFileSync(join(dir, 'settings.yaml'), stringify(document))

/** One life of an aggregator, and the nodes as it sees them: they take up at once what it says is for them. */
export class Aggregator {
  readonly settings: SettingsInForce
  readonly said: Announcement[] = []
  readonly store: Journal
  isLeader = false
  holds: readonly Uint8Array[] = []
  seeks: readonly string[] = []
  ill = new Set<string>()

  constructor(name: string, keys: KeyPair, all: readonly KeyPair[]) {
    this.store = openJournal(join(dir, `${name}.sqlite`))
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

/** `to` has heard what `from` said last, and leads in its place. */
export function takeOver(from: Aggregator, to: Aggregator): void {
  const said = from.said.at(-1)
  if (said === undefined) throw new Error('nothing was said')
  to.settings.hear(said)
  for (const bytes of from.holds) to.settings.take(bytes)
  from.stop()
  to.lead()
}

export const AT_ONCE: RolloutSettings = { stages: ['100%'], soak: '0s' }
export const passes = (ms: number) => vi.advanceTimersByTime(ms)
export const keyPair = () => keyPairFromSeed(newSeed())
