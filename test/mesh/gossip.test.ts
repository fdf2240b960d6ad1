import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Enrolment } from '../../mesh/core/enrolment.ts'
import {
  type Digest,
  Gossip,
  type Heard,
  KEYS_PER_SIGNER,
  keyOf,
  type Reception,
  SYNC_NOTE_BYTES,
  SYNC_STATEMENTS,
} from '../../mesh/core/gossip.ts'
import type { SignedStatement, Statement, StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { encodeMessage, FRAME_BYTES_MAX } from '../../mesh/wire/codec.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const TTL_MS = 10_000
const NOTHING_KNOWN: Digest = { from: '', to: '\uffff', entries: [] }
const [SPEAKER, LISTENER, OTHER] = [nodeName(0), nodeName(1), nodeName(2)]

/** Hears what is said now unless told that it is history. */
class Listener extends Gossip {
  override receive(now: number, item: Heard, history = false): Reception {
    return super.receive(now, item, history)
  }
}

function gossipOf(node: string, boot = 1): Listener {
  return new Listener({ node, serial: 1, boot }, standInKeyring(node), new Enrolment(roster))
}

function note(topic: string, text = 'text'): StatementBody {
  return { kind: 'note', topic, bytes: Buffer.from(text) }
}

function signed(statement: Partial<Statement> & Pick<Statement, 'body'>): SignedStatement {
  const whole: Statement = { signer: SPEAKER, serial: 1, boot: 1, seq: 1, ttlMs: TTL_MS, ...statement }
  return { statement: whole, signature: standInKeyring(whole.signer).sign('statement', whole) }
}

function heard(statement: Partial<Statement> & Pick<Statement, 'body'>, ageMs = 0): Heard {
  return { signed: signed(statement), ageMs }
}

function accusation(
  observer: string,
  parts: { subject?: string; epoch?: number } = {},
): Partial<Statement> & { body: StatementBody } {
  const [subject = ''] = ringOf(roster).subjectsOf(observer)
  const body = {
    kind: 'accusation',
    subject,
    epoch: roster.epoch,
    incarnation: FIRST_LIFE,
    opinion: 'NodeDown',
    channel: 'nothing',
    silentMs: 1,
    ...parts,
  } as const
  return { signer: observer, body }
}

describe('a statement', () => {
  test('is heard once; its copies are known', () => {
    const listener = gossipOf(LISTENER)
    expect(listener.receive(0, heard({ body: note('a') }))).toEqual({ kind: 'fresh' })
    expect(listener.receive(1, heard({ body: note('a') }))).toEqual({ kind: 'known' })
  })

  test('replaces the earlier one under its key, and no later one: (boot, seq) counts', () => {
    const listener = gossipOf(LISTENER)
    const at = (boot: number, seq: number) =>
      listener.receive(0, heard({ boot, seq, body: note('a', `${boot}.${seq}`) })).kind
    expect([at(1, 5), at(1, 4), at(1, 6), at(2, 1), at(1, 99), at(2, 2)]).toEqual([
      'fresh',
      'known',
      'fresh',
      'fresh',
      'known',
      'fresh',
    ])
    expect(listener.digest().entries).toEqual([[SPEAKER, 'note/a', 2, 2]])
  })

  test('does not come back to life when it is played again after it expired', () => {
    const listener = gossipOf(LISTENER)
    const old = heard({ seq: 1, body: note('a', 'old') })
    listener.receive(0, old)
    listener.receive(1, heard({ seq: 2, body: note('a', 'new') }))
    listener.expire(TTL_MS + 1)
    expect(listener.digest().entries).toEqual([])
    expect(listener.receive(TTL_MS + 2, old).kind).toBe('known')
    expect(listener.receive(TTL_MS + 2, heard({ seq: 2, body: note('a', 'new') })).kind).toBe('known')
    expect(listener.receive(TTL_MS + 2, heard({ seq: 3, body: note('a', 'newest') })).kind).toBe('fresh')
  })

  test('is forgotten when its lifetime, less the age it arrived with, is over', () => {
    const listener = gossipOf(LISTENER)
    listener.receive(0, heard({ body: note('young') }, 0))
    listener.receive(0, heard({ seq: 2, body: note('aged') }, 6_000))
    listener.expire(4_000)
    expect(listener.digest().entries.map(([, key]) => key)).toEqual(['note/young'])
    listener.expire(TTL_MS)
    expect(listener.digest().entries).toEqual([])
  })

  test('is handed on with its age, so that nobody keeps it longer than its signer meant', () => {
    const listener = gossipOf(LISTENER)
    listener.receive(1_000, heard({ body: note('a') }, 2_500))
    expect(listener.missingIn(4_000, NOTHING_KNOWN)).toMatchObject([{ ageMs: 5_500 }])
    expect(listener.missingIn(1_000 + TTL_MS - 2_500, NOTHING_KNOWN)).toEqual([])
  })

  test.each([
    { why: 'expired', item: heard({ body: note('a') }, TTL_MS) },
    { why: 'serial', item: heard({ serial: 2, body: note('a') }) },
    { why: 'serial', item: heard({ signer: 'stranger', body: note('a') }) },
    {
      why: 'authority',
      item: heard({
        body: {
          kind: 'down',
          subject: OTHER,
          incarnation: FIRST_LIFE,
          verdict: 'NodeDown',
          verdictId: 'v',
          standing: true,
        },
      }),
    },
    { why: 'authority', item: heard({ body: { kind: 'announcement', incarnation: { ...FIRST_LIFE, serial: 2 } } }) },
    { why: 'authority', item: heard(accusation(SPEAKER, { epoch: roster.epoch - 1 })) },
    { why: 'authority', item: heard(accusation(SPEAKER, { subject: SPEAKER })) },
    { why: 'authority', item: heard(accusation(LEADER, { subject: OTHER })) },
  ])('is refused: $why ($item.signed.statement.body.kind of $item.signed.statement.signer)', ({ why, item }) => {
    const listener = gossipOf(LISTENER)
    expect(listener.receive(0, item)).toEqual({ kind: 'refused', why })
    expect(listener.digest().entries).toEqual([])
  })

  test('of an observer about its subject, and of the aggregator about who is down, is taken', () => {
    const listener = gossipOf(LISTENER)
    expect(listener.receive(0, heard(accusation(SPEAKER))).kind).toBe('fresh')
    const down = {
      kind: 'down',
      subject: OTHER,
      incarnation: FIRST_LIFE,
      verdict: 'NodeDown',
      verdictId: 'v',
      standing: true,
    } as const
    expect(listener.receive(0, heard({ signer: LEADER, body: down })).kind).toBe('fresh')
  })

  test('that was known as history is confirmed once when it is heard as it is said, if it is an accusation', () => {
    const listener = gossipOf(LISTENER)
    const item = heard(accusation(SPEAKER))
    const kinds = [true, true, false, false, true].map((history) => listener.receive(0, item, history).kind)
    expect(kinds).toEqual(['fresh', 'known', 'confirmed', 'known', 'known'])
    const forged = { ...item, signed: { ...item.signed, signature: new Uint8Array(64) } }
    const other = gossipOf(OTHER)
    other.receive(0, item, true)
    expect(other.receive(1, forged, false)).toEqual({ kind: 'refused', why: 'signature' })
    const textItem = heard({ body: note('a') })
    expect([true, false].map((history) => listener.receive(0, textItem, history).kind)).toEqual(['fresh', 'known'])
  })

  test('that was changed after it was signed, or is said in the name of another, is refused', () => {
    const listener = gossipOf(LISTENER)
    const { statement, signature } = signed({ body: note('a') })
    const forgeries: Statement[] = [
      { ...statement, seq: 9 },
      { ...statement, boot: 9 },
      { ...statement, ttlMs: 9_000_000 },
      { ...statement, signer: OTHER },
      { ...statement, body: note('b') },
      { ...statement, body: note('a', 'tampered') },
    ]
    for (const forged of forgeries) {
      expect(listener.receive(0, { signed: { statement: forged, signature }, ageMs: 0 })).toEqual({
        kind: 'refused',
        why: 'signature',
      })
    }
    expect(listener.digest().entries).toEqual([])
  })
})

test('one signer may hold only so many keys; its known ones still change, and others are not affected', () => {
  const listener = gossipOf(LISTENER)
  for (let index = 0; index < KEYS_PER_SIGNER; index++) {
    expect(listener.receive(0, heard({ seq: index + 1, body: note(`topic-${index}`) })).kind).toBe('fresh')
  }
  expect(listener.receive(0, heard({ seq: 9_999, body: note('one too many') }))).toEqual({
    kind: 'refused',
    why: 'bound',
  })
  expect(listener.receive(0, heard({ seq: 9_999, body: note('topic-0', 'changed') })).kind).toBe('fresh')
  expect(listener.receive(0, heard({ signer: OTHER, body: note('a') })).kind).toBe('fresh')
  listener.expire(TTL_MS + 1)
  expect(listener.receive(TTL_MS + 1, heard({ seq: 10_000, body: note('room again') })).kind).toBe('fresh')
})

describe('what a node says itself', () => {
  test('is known to it, is taken by others, and supersedes what it said before', () => {
    const speaker = gossipOf(SPEAKER)
    const listener = gossipOf(LISTENER)
    const first = speaker.publish(0, note('a', 'first'), TTL_MS)
    const second = speaker.publish(5, note('a', 'second'), TTL_MS)
    expect(speaker.receive(6, { signed: first, ageMs: 0 }).kind).toBe('known')
    expect(listener.receive(6, { signed: second, ageMs: 1 }).kind).toBe('fresh')
    expect(listener.receive(6, { signed: first, ageMs: 6 }).kind).toBe('known')
  })

  test('supersedes what it said in an earlier life', () => {
    const listener = gossipOf(LISTENER)
    const before = gossipOf(SPEAKER, 1)
    before.publish(0, note('b'), TTL_MS)
    listener.receive(0, { signed: before.publish(0, note('a'), TTL_MS), ageMs: 0 })
    const after = gossipOf(SPEAKER, 2).publish(0, note('a'), TTL_MS)
    expect(after.statement.seq).toBe(1)
    expect(listener.receive(0, { signed: after, ageMs: 0 }).kind).toBe('fresh')
  })
})

describe('comparing digests', () => {
  const spoken = fc.record({
    signer: fc.integer({ min: 0, max: 3 }).map(nodeName),
    topic: fc.constantFrom('a', 'b', 'c'),
    boot: fc.integer({ min: 1, max: 2 }),
    seq: fc.integer({ min: 1, max: 4 }),
  })
  const asItem = ({ signer, topic, boot, seq }: { signer: string; topic: string; boot: number; seq: number }): Heard =>
    heard({ signer, boot, seq, body: note(topic, `${boot}.${seq}`) })
  const asMap = ({ entries }: Digest) =>
    new Map(entries.map(([signer, key, boot, seq]) => [`${signer} ${key}`, [boot, seq]] as const))

  test('finds exactly what the other lacks or holds in an older form', () => {
    fc.assert(
      fc.property(fc.array(spoken, { maxLength: 20 }), fc.array(spoken, { maxLength: 20 }), (mine, theirs) => {
        const [here, there] = [gossipOf(LISTENER), gossipOf(OTHER)]
        for (const item of mine) here.receive(0, asItem(item))
        for (const item of theirs) there.receive(0, asItem(item))
        const known = asMap(there.digest())
        const expected = [...asMap(here.digest())].filter(([key, [boot, seq]]) => {
          const [theirBoot, theirSeq] = known.get(key) ?? [0, 0]
          return boot > theirBoot || (boot === theirBoot && seq > theirSeq)
        })
        const missing = here.missingIn(1, there.digest())
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
        for (const item of here.missingIn(1, there.digest())) there.receive(1, item)
        for (const item of there.missingIn(1, here.digest())) here.receive(1, item)
        expect(asMap(here.digest())).toEqual(asMap(there.digest()))
      }),
      { numRuns: 100 },
    )
  })

  test('takes turns when there is more than one digest holds, and misses nothing in the end', () => {
    const [here, there] = [gossipOf(LISTENER), gossipOf(OTHER)]
    const signers = Array.from({ length: 4 }, (_, index) => nodeName(index))
    for (const signer of signers) {
      for (let index = 0; index < KEYS_PER_SIGNER; index++) {
        const topic = `${index}-${'x'.repeat(200)}`
        here.receive(0, heard({ signer, seq: index + 1, body: note(topic) }))
      }
    }
    const first = there.digest()
    expect([first.from, first.to]).toEqual(['', '\uffff'])
    const turns = [here.digest(), here.digest(), here.digest()]
    for (const turn of turns) expect(encodeMessage({ kind: 'digest', ...turn }).length).toBeLessThan(FRAME_BYTES_MAX)
    const named = turns.flatMap(({ entries }) => entries.map(([signer]) => signer))
    expect(new Set(named)).toEqual(new Set(signers))
    expect(turns[0]?.to).not.toBe('\uffff')
    // What lies outside a digest's range is not taken for missing.
    const [turn] = turns
    if (turn === undefined) throw new Error('no digest')
    expect(here.missingIn(1, turn)).toEqual([])
    expect(here.missingIn(1, { ...turn, entries: [] })[0]?.signed.statement.signer).toBe(signers[0])
  })

  test('sends no more than fits one frame, in number and in bytes', () => {
    const many = gossipOf(LISTENER)
    for (let index = 0; index < KEYS_PER_SIGNER; index++)
      many.receive(0, heard({ seq: index + 1, body: note(`topic-${index}`) }))
    expect(many.missingIn(1, NOTHING_KNOWN)).toHaveLength(SYNC_STATEMENTS)
    const large = gossipOf(LISTENER)
    const text = 'x'.repeat(60_000)
    for (let index = 0; index < 10; index++)
      large.receive(0, heard({ seq: index + 1, body: note(`topic-${index}`, text) }))
    expect(large.missingIn(1, NOTHING_KNOWN)).toHaveLength(Math.ceil(SYNC_NOTE_BYTES / text.length))
  })
})
