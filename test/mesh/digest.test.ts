/** Comparing digests: what one node lacks of what aggregators say, however much that is. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Digest,
  type DigestEntry,
  Gossip,
  type Heard,
  KEYS_PER_AGGREGATOR,
  keyOf,
  SYNC_NOTE_BYTES,
  SYNC_STATEMENTS,
} from '../../mesh/core/gossip.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Keyring, Statement, StatementBody } from '../../mesh/core/model.ts'
import { decodeMessage, encodeMessage, FRAME_BYTES_MAX } from '../../mesh/wire/codec.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleMember, sampleRoster } from './sample-mesh.ts'

const AGGREGATORS = [LEADER, 'aggregator-2', 'aggregator-3', 'aggregator-4']
const aggregators = AGGREGATORS.map((node) => sampleMember(node, ''))
const membership = new Membership({ ...sampleRoster({ nodes: 20 }), aggregators })
const TTL_MS = 600_000
const [SPEAKER, LISTENER, OTHER] = [nodeName(0), nodeName(1), nodeName(2)]
const NOTHING_KNOWN: Digest = { part: 0, parts: 1, entries: [] }
/** Not what is tested here, and dear where thousands are compared. */
const TRUSTING: Keyring = { sign: () => new Uint8Array(64), verify: () => true }

const gossipOf = (node: string) => new Gossip({ node, serial: 1, boot: 1 }, TRUSTING, membership)

const note = (topic: string, text = 'text'): StatementBody => ({ kind: 'note', topic, bytes: Buffer.from(text) })

/** Of the leader, which everybody keeps, unless it names another. */
function heard(statement: Partial<Statement> & Pick<Statement, 'body'>): Heard {
  const whole: Statement = { signer: LEADER, serial: 1, boot: 1, seq: 1, ttlMs: TTL_MS, ...statement }
  return { signed: { statement: whole, signature: TRUSTING.sign('statement', whole) }, ageMs: 0 }
}

const entriesOf = (gossip: Gossip) => gossip.digest().flatMap(({ entries }) => entries)

/** What they know, by signer and key. */
const asMap = (entries: readonly DigestEntry[]) =>
  new Map(entries.map(([signer, key, boot, seq]) => [`${signer} ${key}`, [boot, seq]] as const))

/** One comparison: `from` sends what is missing in the digest of `to`, part by part. */
function syncs(from: Gossip, to: Gossip): number {
  const missing = to.digest().flatMap((part) => from.missingIn(1, part))
  for (const item of missing) to.receive(1, item)
  return missing.length
}

/** The leader has said all it may, under keys as long as a node may be named. */
function fullOfLongKeys(): Gossip {
  const gossip = gossipOf(LISTENER)
  for (let index = 0; index < KEYS_PER_AGGREGATOR; index++) {
    const subject = `ip-${index}.`.padEnd(253, 'x')
    const about = { subject, incarnation: FIRST_LIFE, latest: FIRST_LIFE, verdictId: 'v' }
    gossip.receive(
      0,
      heard({
        seq: index + 1,
        body: { kind: 'down', ...about, verdict: 'NodeDown', standing: true, recoverBeats: 3, heard: false },
      }),
    )
  }
  return gossip
}

describe('comparing digests', () => {
  const spoken = fc.record({
    signer: fc.constantFrom(...AGGREGATORS),
    topic: fc.constantFrom('a', 'b', 'c'),
    boot: fc.integer({ min: 1, max: 2 }),
    seq: fc.integer({ min: 1, max: 4 }),
  })
  const asItem = ({ signer, topic, boot, seq }: { signer: string; topic: string; boot: number; seq: number }): Heard =>
    heard({ signer, boot, seq, body: note(topic, `${boot}.${seq}`) })

  test('finds exactly what the other lacks or holds in an older form', () => {
    fc.assert(
      fc.property(fc.array(spoken, { maxLength: 20 }), fc.array(spoken, { maxLength: 20 }), (mine, theirs) => {
        const [here, there] = [gossipOf(LISTENER), gossipOf(OTHER)]
        for (const item of mine) here.receive(0, asItem(item))
        for (const item of theirs) there.receive(0, asItem(item))
        const known = asMap(entriesOf(there))
        const expected = [...asMap(entriesOf(here))].filter(([key, [boot, seq]]) => {
          const [theirBoot, theirSeq] = known.get(key) ?? [0, 0]
          return boot > theirBoot || (boot === theirBoot && seq > theirSeq)
        })
        const missing = there.digest().flatMap((part) => here.missingIn(1, part))
        const found = missing.map(({ signed: { statement } }) => `${statement.signer} ${keyOf(statement.body)}`)
        expect(found.toSorted()).toEqual(expected.map(([key]) => key).toSorted())
        for (const item of missing) expect(there.receive(1, item).kind).toBe('fresh')
      }),
      { numRuns: 200 },
    )
  })

  test('both ways leaves two nodes with the same knowledge', () => {
    fc.assert(
      fc.property(fc.array(spoken, { maxLength: 20 }), fc.array(spoken, { maxLength: 20 }), (mine, theirs) => {
        const [here, there] = [gossipOf(LISTENER), gossipOf(OTHER)]
        for (const item of mine) here.receive(0, asItem(item))
        for (const item of theirs) there.receive(0, asItem(item))
        syncs(here, there)
        syncs(there, here)
        expect(asMap(entriesOf(here))).toEqual(asMap(entriesOf(there)))
      }),
      { numRuns: 100 },
    )
  })

  test('names nothing that members say: that is for the leader alone', () => {
    const listener = gossipOf(LISTENER)
    listener.receive(0, heard({ signer: SPEAKER, body: note('a') }))
    expect(listener.digest()).toEqual([NOTHING_KNOWN])
    expect(listener.missingIn(1, NOTHING_KNOWN)).toEqual([])
  })

  test('of a leader that has said all it may under long keys goes in parts, each of which fits a frame', () => {
    const digests = fullOfLongKeys().digest()
    expect(digests.length).toBeGreaterThan(1)
    for (const digest of digests) {
      const frame = encodeMessage({ kind: 'digest', ...digest })
      expect(frame.length).toBeLessThan(FRAME_BYTES_MAX)
      expect(decodeMessage(frame)).toEqual({ kind: 'digest', ...digest })
    }
    expect(digests.map(({ part, parts }) => [part, parts])).toEqual(digests.map((_, part) => [part, digests.length]))
    expect(asMap(digests.flatMap(({ entries }) => entries)).size).toBe(KEYS_PER_AGGREGATOR)
  })

  test('in parts brings a node that knows nothing all there is, and then nothing more', () => {
    const [here, there] = [fullOfLongKeys(), gossipOf(OTHER)]
    // Each comparison brings what fits a frame for each part of the digest, which grows with what is known.
    for (let times = 0; syncs(here, there) > 0; times++)
      expect(times).toBeLessThan(KEYS_PER_AGGREGATOR / SYNC_STATEMENTS)
    expect(asMap(entriesOf(there))).toEqual(asMap(entriesOf(here)))
    // What the newcomer says in as many parts the other finds nothing missing in, nor the other way round.
    expect(syncs(there, here)).toBe(0)
  })

  test('in parts finds together what the whole finds, each under its own keys', () => {
    const parts = fc.integer({ min: 2, max: 7 })
    const said = fc.array(spoken, { maxLength: 20 })
    fc.assert(
      fc.property(said, said, parts, (mine, theirs, count) => {
        const [here, there] = [gossipOf(LISTENER), gossipOf(OTHER)]
        for (const item of mine) here.receive(0, asItem(item))
        for (const item of theirs) there.receive(0, asItem(item))
        const entries = entriesOf(there)
        const found = (digest: Digest) => here.missingIn(1, digest).map(({ signed: { statement } }) => statement)
        const inParts = Array.from({ length: count }, (_, part) => found({ part, parts: count, entries }))
        const names = (statements: readonly Statement[]) =>
          statements.map(({ signer, body }) => `${signer} ${keyOf(body)}`).toSorted()
        expect(names(inParts.flat())).toEqual(names(found({ part: 0, parts: 1, entries })))
        // A key that is in no part is asked for in exactly one of them.
        const topics = inParts.map((statements) => new Set(statements.map(({ body }) => keyOf(body))))
        expect(topics.reduce((sum, one) => sum + one.size, 0)).toBe(new Set(topics.flatMap((one) => [...one])).size)
      }),
      { numRuns: 200 },
    )
  })

  test('sends no more than fits one frame, in number and in bytes', () => {
    const many = gossipOf(LISTENER)
    for (let index = 0; index < SYNC_STATEMENTS + 1; index++)
      many.receive(0, heard({ seq: index + 1, body: note(`topic-${index}`) }))
    expect(many.missingIn(1, NOTHING_KNOWN)).toHaveLength(SYNC_STATEMENTS)
    const large = gossipOf(LISTENER)
    const text = 'x'.repeat(60_000)
    for (let index = 0; index < 10; index++)
      large.receive(0, heard({ seq: index + 1, body: note(`topic-${index}`, text) }))
    expect(large.missingIn(1, NOTHING_KNOWN)).toHaveLength(Math.ceil(SYNC_NOTE_BYTES / text.length))
  })
})
