/**
 * Yesterday's traffic: all that reached an aggregator during a death and a recovery, played again to the one that was
 * started in its place. Its signatures are all genuine; it must prove nothing.
 */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { Core } from '../../mesh/core/core.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import type { Roster, Standing } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { World } from '../../mesh/sim/world.ts'
import { LEADER, momentAt } from './sample-mesh.ts'

const VICTIM = 'node-7'
const SECOND = 'node-12'
const DIES_MS = 8_000
const RECOVERS_MS = 16_000
const ENDS_MS = 40_000

interface Heard {
  /** Since the one before it. */
  readonly afterMs: number
  readonly from: string
  readonly message: Message
}

let roster: Roster
/** In the order in which it came. */
let heard: readonly Heard[]
let verdict: Standing

/** Ages are not signed: whoever plays it again says that it is new. */
function asNew({ message, ...heard }: Heard): Heard {
  if (message.kind !== 'gossip') return { ...heard, message }
  return { ...heard, message: { ...message, items: message.items.map(({ signed }) => ({ signed, ageMs: 0 })) } }
}

beforeAll(() => {
  const world = new World({ nodes: 20, zones: 3, seed: 5 })
  const record = vi.spyOn(world.leader, 'step')
  world.stage.agenda.runUntil(DIES_MS)
  world.stage.setHost(VICTIM, 'down')
  world.stage.agenda.runUntil(RECOVERS_MS)
  world.stage.setHost(VICTIM, 'up')
  // When the traffic ends, accusations of a second one are fresh.
  world.stage.agenda.runUntil(ENDS_MS - 3_000)
  world.stage.setHost(SECOND, 'down')
  world.stage.agenda.runUntil(ENDS_MS)
  roster = world.roster
  let before = 0
  heard = record.mock.calls.flatMap(([{ ms }, input]) => {
    if (input.kind !== 'message') return []
    const afterMs = ms - before
    before = ms
    return [asNew({ afterMs, from: input.from, message: input.message })]
  })
  const [first, second] = world.commits().map(({ certificate }) => certificate)
  if (first === undefined || second?.subject !== SECOND) throw new Error('yesterday did not go as it should have')
  const { verdictId, kind, subject, incarnation } = first
  verdict = { verdictId, kind, subject, incarnation }
})

/** Started in place of the one that heard all that, with a verdict on record that yesterday ended. */
class Restarted {
  readonly core: Core
  readonly effects: Effect[] = []
  readonly #now = { ms: 0 }

  constructor(term: number) {
    let calls = 0
    const nonce = () => `ffff${(calls++).toString(16)}`
    const random = seededRandom(9)
    this.core = new Core(momentAt(0), {
      node: LEADER,
      incarnation: { serial: 1, boot: 2, refutations: 0 },
      roster,
      rosterBytes: new Uint8Array(0),
      keyring: { sign: () => new Uint8Array(64), verify: () => true },
      timing: DEFAULT_TIMING,
      random: () => random(),
      aggregator: { rosterHash: 'sim', heartbeats: false, saidBefore: [], nonce },
    })
    this.#step({ kind: 'lead', term, standing: [verdict] })
    for (const { node: peer } of roster.members) {
      this.#step({ kind: 'opened', peer, by: 'them', incarnation: { serial: 1, boot: 1, refutations: 0 } })
    }
  }

  /** A message every so often, at the pace of yesterday unless given, and a while to act upon them. */
  hears(traffic: readonly Heard[], everyMs?: number): this {
    for (const { afterMs, from, message } of traffic) {
      this.#runFor(everyMs ?? afterMs)
      this.#step({ kind: 'message', from, message })
    }
    this.#runFor(10_000)
    return this
  }

  get noticed(): readonly string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'notice' ? [effect.notice.kind] : []))
  }

  get committed(): number {
    return this.effects.filter(({ kind }) => kind === 'commit').length
  }

  #runFor(ms: number): void {
    const until = this.#now.ms + ms
    while (this.core.nextTickAt <= until) {
      this.#now.ms = Math.max(this.#now.ms, this.core.nextTickAt)
      this.#step({ kind: 'tick' })
    }
    this.#now.ms = until
  }

  #step(input: Parameters<Core['step']>[1]): void {
    this.effects.push(...this.core.step(momentAt(this.#now.ms), input))
  }
}

function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const random = seededRandom(seed)
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

const ORDERS: readonly { readonly order: string; readonly play: () => readonly Heard[] }[] = [
  { order: 'in order', play: () => heard },
  { order: 'backwards', play: () => heard.toReversed() },
  ...[1, 2, 3].map((seed) => ({ order: `shuffled by seed ${seed}`, play: () => shuffled(heard, seed) })),
]

test('yesterday holds what it takes: to the same leader it is worth a candidate and the end of a verdict', () => {
  const kinds = new Set(heard.map(({ message }) => message.kind))
  expect([...kinds]).toEqual(expect.arrayContaining(['gossip', 'answers', 'ack', 'digest']))
  const { noticed } = new Restarted(1).hears(heard)
  expect(noticed).toEqual(expect.arrayContaining(['candidate', 'recovered']))
})

describe.each(ORDERS)("yesterday's traffic $order", ({ play }) => {
  test.each([
    { pace: 'at its own pace', everyMs: undefined },
    { pace: 'all at once', everyMs: 0 },
    { pace: 'in a hurry', everyMs: 2 },
  ])('$pace makes no candidate, no verdict and no recovery', ({ everyMs }) => {
    const restarted = new Restarted(2).hears(play(), everyMs)
    expect(
      restarted.noticed.filter((kind) => ['candidate', 'suspected', 'agentDown', 'recovered'].includes(kind)),
    ).toEqual([])
    expect(restarted.committed).toBe(0)
    expect([...(restarted.core.leader?.conditions.standing.keys() ?? [])]).toEqual([VICTIM])
  })
})
