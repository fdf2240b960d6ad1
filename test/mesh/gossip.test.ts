/** What a node keeps of what it hears and says, for how long, and what it refuses. */
import { describe, expect, test } from 'vitest'
import { type Digest, Gossip, type Heard, KEYS_PER_AGGREGATOR, KEYS_PER_MEMBER, keyOf } from '../../mesh/core/gossip.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { DownNotice, SignedStatement, Statement, StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const TTL_MS = 10_000
const NOTHING_KNOWN: Digest = { part: 0, parts: 1, entries: [] }
const [SPEAKER, LISTENER, OTHER] = [nodeName(0), nodeName(1), nodeName(2)]

const DOWN: DownNotice = {
  kind: 'down',
  subject: OTHER,
  incarnation: FIRST_LIFE,
  verdict: 'NodeDown',
  verdictId: 'v',
  standing: true,
  latest: FIRST_LIFE,
  recoverBeats: 3,
  heard: false,
}

function gossipOf(node: string, boot = 1): Gossip {
  return new Gossip({ node, serial: 1, boot }, standInKeyring(node), new Membership(roster))
}

function note(topic: string, text = 'text'): StatementBody {
  return { kind: 'note', topic, bytes: Buffer.from(text) }
}

/** Of the leader, which everybody keeps, unless it names another. */
function signed(statement: Partial<Statement> & Pick<Statement, 'body'>): SignedStatement {
  const whole: Statement = { signer: LEADER, serial: 1, boot: 1, seq: 1, ttlMs: TTL_MS, ...statement }
  return { statement: whole, signature: standInKeyring(whole.signer).sign('statement', whole) }
}

function heard(statement: Partial<Statement> & Pick<Statement, 'body'>, ageMs = 0): Heard {
  return { signed: signed(statement), ageMs }
}

/** All that it would tell of in a digest. */
function entriesOf(gossip: Gossip) {
  return gossip.digest().flatMap(({ entries }) => entries)
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
    term: 1,
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
    expect(entriesOf(listener)).toEqual([[LEADER, 'note/a', 2, 2]])
  })

  test('does not come back to life when it is played again after it expired', () => {
    const listener = gossipOf(LISTENER)
    const old = heard({ seq: 1, body: note('a', 'old') })
    listener.receive(0, old)
    listener.receive(1, heard({ seq: 2, body: note('a', 'new') }))
    listener.expire(TTL_MS + 1)
    expect(entriesOf(listener)).toEqual([])
    expect(listener.receive(TTL_MS + 2, old).kind).toBe('known')
    expect(listener.receive(TTL_MS + 2, heard({ seq: 2, body: note('a', 'new') })).kind).toBe('known')
    expect(listener.receive(TTL_MS + 2, heard({ seq: 3, body: note('a', 'newest') })).kind).toBe('fresh')
  })

  test('is forgotten when its lifetime, less the age it arrived with, is over', () => {
    const listener = gossipOf(LISTENER)
    listener.receive(0, heard({ body: note('young') }, 0))
    listener.receive(0, heard({ seq: 2, body: note('aged') }, 6_000))
    listener.expire(4_000)
    expect(entriesOf(listener).map(([, key]) => key)).toEqual(['note/young'])
    listener.expire(TTL_MS)
    expect(entriesOf(listener)).toEqual([])
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
      item: heard({ signer: SPEAKER, body: DOWN }),
    },
    ...[SPEAKER, LEADER].flatMap((signer) => {
      // A member's in the name of another enrolment, and an aggregator's, which nobody watches.
      const incarnation = { ...FIRST_LIFE, serial: signer === LEADER ? 1 : 2 }
      const bodies = [
        { kind: 'announcement', incarnation },
        { kind: 'leave', incarnation, reason: 'update', forMs: 1 },
      ] as const
      return bodies.map((body) => ({ why: 'authority', item: heard({ signer, body }) }))
    }),
    { why: 'authority', item: heard(accusation(SPEAKER, { epoch: roster.epoch - 1 })) },
    { why: 'authority', item: heard(accusation(SPEAKER, { subject: SPEAKER })) },
    { why: 'authority', item: heard(accusation(LEADER, { subject: OTHER })) },
  ])('is refused: $why ($item.signed.statement.body.kind of $item.signed.statement.signer)', ({ why, item }) => {
    const listener = gossipOf(LISTENER)
    expect(listener.receive(0, item)).toEqual({ kind: 'refused', why })
    expect(entriesOf(listener)).toEqual([])
  })

  test('of an observer about its subject, and of the aggregator about who is down, is taken', () => {
    const listener = gossipOf(LISTENER)
    expect(listener.receive(0, heard(accusation(SPEAKER))).kind).toBe('fresh')
    expect(listener.receive(0, heard({ body: DOWN })).kind).toBe('fresh')
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
    expect(entriesOf(listener)).toEqual([])
  })
})

test.each([
  { who: 'a member', signer: SPEAKER, bound: KEYS_PER_MEMBER },
  { who: 'an aggregator', signer: LEADER, bound: KEYS_PER_AGGREGATOR },
])('$who may hold only so many keys; its known ones still change, and others are not affected', ({ signer, bound }) => {
  const listener = gossipOf(LISTENER)
  const says = (now: number, seq: number, body: StatementBody) => listener.receive(now, heard({ signer, seq, body }))
  for (let index = 0; index < bound; index++) expect(says(0, index + 1, note(`topic-${index}`)).kind).toBe('fresh')
  expect(says(0, 99_999, note('one too many'))).toEqual({ kind: 'refused', why: 'bound' })
  expect(says(0, 99_999, note('topic-0', 'changed')).kind).toBe('fresh')
  expect(listener.receive(0, heard({ signer: OTHER, body: note('a') })).kind).toBe('fresh')
  listener.expire(TTL_MS + 1)
  expect(says(TTL_MS + 1, 100_000, note('room again')).kind).toBe('fresh')
})

describe('what a member says', () => {
  const LONG_TTL_MS = 1_800_000
  const item = heard({ signer: SPEAKER, ttlMs: LONG_TTL_MS, body: note('a') })

  test.each([
    { who: 'another member', node: LISTENER, keptMs: 60_000 },
    { who: 'an aggregator', node: LEADER, keptMs: LONG_TTL_MS },
  ])('is kept by $who for $keptMs ms', ({ node, keptMs }) => {
    const listener = gossipOf(node)
    listener.receive(0, item)
    listener.expire(keptMs - 1)
    expect(listener.ofMembers(keptMs - 1, 0)).toMatchObject([{ ageMs: keptMs - 1 }])
    listener.expire(keptMs)
    expect(listener.ofMembers(keptMs, 0)).toEqual([])
  })

  test('is found again by when it was taken in here, its own included, and not what aggregators say', () => {
    const listener = gossipOf(LISTENER)
    listener.receive(1_000, heard({ signer: SPEAKER, body: note('a') }))
    listener.receive(2_000, heard({ signer: OTHER, body: note('a') }))
    listener.receive(2_500, heard({ signer: LEADER, body: note('a') }))
    listener.publish(3_000, note('mine'), TTL_MS)
    const since = (ms: number) => listener.ofMembers(3_000, ms).map(({ signed: { statement } }) => statement.signer)
    expect(since(1_000)).toEqual([SPEAKER, OTHER, LISTENER])
    expect(since(1_001)).toEqual([OTHER, LISTENER])
  })
})

describe('what a node says itself', () => {
  test('is said anew under a later number, for the rest of its lifetime, and only while it holds', () => {
    const [speaker, relay] = [gossipOf(SPEAKER), gossipOf(LISTENER)]
    const first = [speaker.publish(0, note('a'), TTL_MS), speaker.publish(0, note('b'), 2_000)]
    for (const one of first) relay.receive(0, { signed: one, ageMs: 0 })
    speaker.receive(0, heard({ body: note('of another') }))
    const again = speaker.renew(2_000)
    expect(again.map(({ statement: { body, seq, ttlMs } }) => [keyOf(body), seq, ttlMs])).toEqual([
      ['note/a', 3, TTL_MS - 2_000],
    ])
    // Whoever passed on the old form takes the new one for news, and it outlives the old one nowhere.
    for (const one of again) expect(relay.receive(2_001, { signed: one, ageMs: 0 }).kind).toBe('fresh')
    expect(speaker.renew(TTL_MS)).toEqual([])
  })

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
