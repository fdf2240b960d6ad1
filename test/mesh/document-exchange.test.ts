/** A document comes to everybody who knows its name, from whoever has it, and nobody is made to take another. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DocumentExchange } from '../../mesh/core/document-exchange.ts'
import { Links } from '../../mesh/core/links.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import { around } from '../../mesh/sim/network.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { World } from '../../mesh/sim/world.ts'

const LEADER = 'aggregator-1'
const BYTES = Uint8Array.from({ length: 5_000 }, (_, index) => index)
const nameOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const HASH = nameOf(BYTES)
const NONE = new Uint8Array()

const send = (to: string, message: Message): readonly Effect[] => [{ kind: 'send', to, via: 'any', message }]
const dropped = (from: string) => [{ kind: 'dropped', why: 'document', from }]

function linksTo(...peers: readonly string[]): Links {
  const links = new Links()
  for (const peer of peers) links.opened(peer, 'me')
  return links
}

describe('who lacks a document', () => {
  const random = seededRandom(7)
  const links = linksTo('a', 'b')
  const seeker = () => {
    const exchange = new DocumentExchange()
    exchange.take([], [HASH])
    return exchange
  }
  const askedIn = (effects: readonly Effect[]) => effects.map((effect) => (effect.kind === 'send' ? effect.to : ''))

  test('asks one neighbour at a time, the next when that one has none or is silent, and then pauses, longer each time', () => {
    const mine = seeker()
    const [first = ''] = askedIn(mine.tick(0, links, random))
    expect(mine.tick(1, links, random)).toEqual([])
    expect(mine.offered(first, HASH, NONE)).toEqual([])
    const [second = ''] = askedIn(mine.tick(2, links, random))
    expect(new Set([first, second])).toEqual(new Set(['a', 'b']))
    expect(mine.nextAt).toBe(2_002)
    expect(mine.tick(2_002, links, random)).toEqual([])
    expect(mine.nextAt).toBe(3_002)
    for (let at = 3_002, asks = 0; asks < 2; asks++, at += 2_000) expect(mine.tick(at, links, random)).toHaveLength(1)
    mine.tick(7_002, links, random)
    expect(mine.nextAt).toBe(9_002)
  })

  test('takes it under its true name, once, and seeks nothing more', () => {
    const mine = seeker()
    const [peer = ''] = askedIn(mine.tick(0, links, random))
    expect(mine.offered(peer, HASH, BYTES)).toEqual([{ kind: 'documentCame', hash: HASH, bytes: BYTES }])
    expect(mine.offered(peer, HASH, BYTES)).toEqual(dropped(peer))
    expect(mine.nextAt).toBe(Number.POSITIVE_INFINITY)
  })

  test('takes no other bytes, none from whom it did not ask, and none that it did not ask for', () => {
    const mine = seeker()
    const [peer = ''] = askedIn(mine.tick(0, links, random))
    const other = peer === 'a' ? 'b' : 'a'
    expect(mine.offered(other, HASH, BYTES)).toEqual(dropped(other))
    expect(mine.offered(peer, nameOf(NONE), BYTES)).toEqual(dropped(peer))
    expect(mine.offered(peer, HASH, BYTES.subarray(1))).toEqual(dropped(peer))
    expect(askedIn(mine.tick(1, links, random))).toEqual([other])
  })

  test('asks for nothing that it was given by its owner meanwhile', () => {
    const mine = seeker()
    mine.take([BYTES], [HASH])
    expect(mine.nextAt).toBe(Number.POSITIVE_INFINITY)
    expect(mine.tick(0, links, random)).toEqual([])
  })
})

describe('who has a document', () => {
  test('gives it to each neighbour once a second at most, and says when it has it not', () => {
    const mine = new DocumentExchange()
    mine.take([BYTES], [])
    expect(mine.wanted(0, 'a', HASH)).toEqual(send('a', { kind: 'document', hash: HASH, bytes: BYTES }))
    expect(mine.wanted(999, 'a', HASH)).toEqual([])
    expect(mine.wanted(999, 'b', HASH)).toHaveLength(1)
    expect(mine.wanted(1_000, 'a', HASH)).toHaveLength(1)
    mine.take([], [])
    expect(mine.wanted(5_000, 'a', HASH)).toEqual(send('a', { kind: 'document', hash: HASH, bytes: NONE }))
  })
})

describe('in a mesh', () => {
  const NODES = Array.from({ length: 30 }, (_, index) => `node-${index + 1}`)

  function spread(seed: number, lossy: boolean) {
    const got = new Map<string, number>()
    const given = new Map<string, number>()
    const world: World = new World({
      nodes: NODES.length,
      zones: 3,
      seed,
      onDocument: (node, hash, bytes) => {
        expect([hash, nameOf(bytes)]).toEqual([HASH, HASH])
        got.set(node, (got.get(node) ?? 0) + 1)
        world.documents(node, [bytes], [])
      },
      onSend: (message, from, to) => {
        if (message.kind === 'document' && message.bytes.length > 0) given.set(`${from} ${to}`, 1)
      },
    })
    const passes = (ms: number) => world.stage.agenda.runUntil(world.stage.agenda.now + ms)
    if (lossy) world.stage.network.impair(around(new Set(NODES.slice(0, 10)), 0.1))
    passes(8_000)
    world.documents(LEADER, [BYTES], [])
    for (const node of NODES) world.documents(node, [], [HASH])
    passes(60_000)
    return { world, got, given, passes }
  }

  test.each([
    [1, false],
    [2, false],
    [3, true],
  ])('everybody gets it, once, and most of them from each other (seed %i, lossy: %s)', (seed, lossy) => {
    const { got, given } = spread(seed, lossy)
    expect([...got.keys()].toSorted()).toEqual(NODES.toSorted())
    expect([...got.values()].every((times) => times === 1)).toBe(true)
    const byLeader = [...given.keys()].filter((way) => way.startsWith(LEADER)).length
    expect(byLeader).toBeLessThan(NODES.length)
  })

  test('whoever was away gets it when it comes back, with the leader gone', () => {
    const { world, got, passes } = spread(4, false)
    world.stage.setHost('node-3', 'agentDown')
    world.stage.setHost(LEADER, 'agentDown')
    passes(5_000)
    got.delete('node-3')
    world.stage.setHost('node-3', 'up')
    passes(2_000)
    world.documents('node-3', [], [HASH])
    passes(20_000)
    expect(got.get('node-3')).toBe(1)
  })
})
