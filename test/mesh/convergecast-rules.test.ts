/** A question to many: what one node answers, whom it waits for, and what its words look like on the wire. */
import { describe, expect, test } from 'vitest'
import type { Hop, SignedRow } from '../../mesh/core/convergecast.ts'
import { Relay } from '../../mesh/core/convergecast-relay.ts'
import { Round } from '../../mesh/core/convergecast-round.ts'
import { ASK_BYTES_MAX } from '../../mesh/libp2p/asks.ts'
import { pack, unpack } from '../../mesh/libp2p/convergecast.ts'
import { encodeValue } from '../../mesh/wire/codec.ts'
import { decodeGathered, decodeHop, encodeHop, ROW_BYTES_MAX } from '../../mesh/wire/convergecast.ts'
import { LEADER, nodeName, standInKeyring } from './sample-mesh.ts'

const [ONE, TWO, THREE] = [nodeName(0), nodeName(1), nodeName(2)]

interface Ways {
  readonly asker?: string
  /** Who signs. */
  readonly by?: string
  readonly withinMs?: number
  readonly leftMs?: number
}

function hopOf(nonce: number, ways: Ways = {}): Hop {
  const { asker = LEADER, by = asker, withinMs = 5_000, leftMs = 3_000 } = ways
  const hex = nonce.toString(16).padStart(32, '0')
  const query = { asker, nonce: hex, topic: 'inspection', parameters: new Uint8Array([1]), withinMs }
  return { query: { query, signature: standInKeyring(by).sign('query', query) }, leftMs, names: [TWO, ONE, TWO] }
}

const rowOf = (node: string, size = 3): SignedRow => {
  return { node, bytes: new Uint8Array(size).fill(7), signature: new Uint8Array(64) }
}
const gathered = (...nodes: string[]) => ({ rows: nodes.map((node) => rowOf(node)), unheard: [] })

describe('a node', () => {
  const relay = () => {
    return new Relay<number>({ node: ONE, isAggregator: (node) => node === LEADER, verify: standInKeyring(ONE).verify })
  }

  test('makes one row for a question, however often it is asked, and asks neither itself nor anybody twice', () => {
    const node = relay()
    let made = 0
    const first = node.take(hopOf(1), () => ++made)
    expect(first).toEqual({ row: 1, names: [TWO] })
    expect(node.take(hopOf(1), () => ++made).row).toBe(1)
    expect(node.take(hopOf(2), () => ++made).row).toBe(2)
  })

  test('answers nobody but an aggregator, in its own words', () => {
    const node = relay()
    const make = () => 1
    expect(() => node.take(hopOf(1, { asker: TWO }), make)).toThrow('no aggregator')
    expect(() => node.take(hopOf(1, { by: TWO }), make)).toThrow('no aggregator')
    const { query, ...rest } = hopOf(1)
    const changed = { ...query.query, topic: 'other' }
    expect(() => node.take({ ...rest, query: { ...query, query: changed } }, make)).toThrow('no aggregator')
    expect(() => node.take(hopOf(1, { withinMs: 1_000, leftMs: 2_000 }), make)).toThrow('more time')
  })

  test('does not answer the same question for ever, nor many at once', () => {
    const node = relay()
    for (let time = 0; time < 4; time++) {
      node.take(hopOf(1), () => 1)
      node.done(hopOf(1).query.query.nonce)
    }
    expect(() => node.take(hopOf(1), () => 1)).toThrow('asked before')
    for (let nonce = 2; nonce < 10; nonce++) node.take(hopOf(nonce), () => 1)
    expect(() => node.take(hopOf(10), () => 1)).toThrow('too many')
    node.done(hopOf(2).query.query.nonce)
    node.take(hopOf(10), () => 1)
  })
})

describe('a round', () => {
  const groups = [
    { head: ONE, names: [TWO] },
    { head: THREE, names: [] },
  ]

  test('tells each that it has a hop less than there is', () => {
    const round = new Round({ groups, endsAt: 1_000 })
    expect(round.next(0)).toEqual([
      { to: ONE, names: [TWO], leftMs: 850, withinMs: 950 },
      { to: THREE, names: [], leftMs: 850, withinMs: 950 },
    ])
    expect(round.next(0)).toEqual([])
    expect(new Round({ groups, endsAt: 1_000 }).next(900)).toEqual([])
  })

  test('is over when all have answered', () => {
    const round = new Round({ groups, endsAt: 1_000 })
    round.next(0)
    round.arrived(ONE)
    round.answered(ONE, gathered(ONE, TWO))
    expect(round.isOver(1)).toBe(false)
    round.failed(THREE, 'unreachable')
    expect(round.isOver(1)).toBe(true)
    expect(round.end()).toEqual({ ...gathered(ONE, TWO), unheard: [{ node: THREE, why: 'unreachable' }] })
  })

  test('ends in time, but for what is here and has yet to be read', () => {
    const round = new Round({ groups, endsAt: 1_000 })
    round.next(0)
    expect(round.arrived(ONE)).toBe(true)
    expect(round.isOver(1_000)).toBe(false)
    round.answered(ONE, gathered(ONE))
    expect(round.isOver(1_000)).toBe(true)
    expect(round.end().unheard).toEqual([{ node: THREE, why: 'no-answer' }])
    expect(round.arrived(THREE)).toBe(false)
  })

  test('takes from each only the rows it was asked for, once, and only genuine ones', () => {
    const round = new Round({ groups, endsAt: 1_000, isGenuine: ({ node }) => node !== TWO })
    round.next(0)
    round.arrived(ONE)
    round.answered(ONE, gathered(ONE, ONE, TWO, THREE))
    round.answered(ONE, gathered(ONE, TWO, THREE))
    expect([...round.rows.keys()]).toEqual([ONE])
    expect(round.refused).toBe(2)
  })
})

describe('on the wire', () => {
  test('comes back as it was', () => {
    expect(decodeHop(encodeHop(hopOf(1)))).toEqual(hopOf(1))
    const answer = { rows: [rowOf(ONE)], unheard: [{ node: TWO, why: 'no-answer' as const }] }
    expect(unpack(pack(answer).bytes)).toEqual(answer)
  })

  test('is never larger than a frame, whatever the rows are', () => {
    let state = 1
    const noise = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return state >> 16
    }
    const rows = Array.from({ length: 300 }, (_, index) => ({
      ...rowOf(nodeName(index)),
      bytes: new Uint8Array(ROW_BYTES_MAX).map(noise),
    }))
    const { bytes, rows: kept } = pack({ rows, unheard: [] })
    expect(bytes.length).toBeLessThanOrEqual(ASK_BYTES_MAX)
    expect(kept.length).toBeGreaterThan(50)
    expect(unpack(bytes).rows).toEqual(rows.slice(0, kept.length))
  })

  const row = rowOf(ONE)
  test.each([
    ['a row too large', { rows: [rowOf(ONE, ROW_BYTES_MAX + 1)], unheard: [] }],
    ['half a signature', { rows: [{ ...row, signature: new Uint8Array(32) }], unheard: [] }],
    ['another reason', { rows: [], unheard: [{ node: ONE, why: 'asleep' }] }],
    ['something more', { rows: [], unheard: [], more: 1 }],
    ['too many', { rows: Array.from({ length: 2_050 }, () => row), unheard: [] }],
  ])('%s is refused', (_, value) => {
    expect(() => decodeGathered(encodeValue(value))).toThrow()
  })

  test('what unpacks to more than can be of use is refused', () => {
    const rows = Array.from({ length: 2_000 }, (_, index) => rowOf(nodeName(index), ROW_BYTES_MAX))
    const { bytes } = pack({ rows, unheard: [] })
    expect(bytes.length).toBeLessThan(ASK_BYTES_MAX)
    expect(() => unpack(bytes)).toThrow()
    expect(() => unpack(new Uint8Array([1, 2, 3]))).toThrow()
  })
})
