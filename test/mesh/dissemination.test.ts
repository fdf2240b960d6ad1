/** Which way a statement goes: an aggregator's to all, a member's up to the leader. */
import { describe, expect, test } from 'vitest'
import { Dissemination } from '../../mesh/core/dissemination.ts'
import { Gossip, keyOf } from '../../mesh/core/gossip.ts'
import { Links } from '../../mesh/core/links.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect } from '../../mesh/core/message.ts'
import type { SignedStatement, StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const ME = nodeName(0)
const [UP_1, UP_2, UP_3, OTHER] = [nodeName(1), nodeName(2), nodeName(3), nodeName(4)]

const note = (topic: string): StatementBody => ({ kind: 'note', topic, bytes: new Uint8Array(1) })

function accusationBy(voter: string): StatementBody {
  const [subject = ''] = ringOf(roster).subjectsOf(voter)
  const about = { subject, incarnation: FIRST_LIFE, epoch: roster.epoch, term: 1 }
  return { kind: 'accusation', ...about, opinion: 'NodeDown', channel: 'nothing', silentMs: 1 }
}

function signed(signer: string, body: StatementBody): SignedStatement {
  const statement = { signer, serial: 1, boot: 1, seq: 1, ttlMs: 600_000, body }
  return { statement, signature: standInKeyring(signer).sign('statement', statement) }
}

/** A node with edges to four others, of which three brought the last roll-call. */
function speaker(node = ME) {
  const links = new Links()
  for (const peer of [UP_1, UP_2, UP_3, OTHER]) links.opened(peer, 'them')
  const membership = new Membership(roster)
  const gossip = new Gossip({ node, serial: 1, boot: 1 }, standInKeyring(node), membership)
  let uplinks: readonly string[] = [UP_1, UP_2, UP_3]
  const dissemination = new Dissemination(gossip, membership, links, () => uplinks)
  return { links, gossip, dissemination, uplinksBecome: (peers: readonly string[]) => (uplinks = peers) }
}

function sent(effects: readonly Effect[]): readonly (readonly [to: string, ...keys: string[]])[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'send' || effect.message.kind !== 'gossip') return []
    return [[effect.to, ...effect.message.items.map(({ signed }) => keyOf(signed.statement.body))] as const]
  })
}

const recipients = (effects: readonly Effect[]) => sent(effects).map(([to]) => to)

describe('a statement', () => {
  const pass = (signer: string, body: StatementBody, from?: string) =>
    recipients(speaker().dissemination.pass({ signed: signed(signer, body), ageMs: 0 }, from))

  test.each([
    {
      what: 'of an aggregator goes to all',
      signer: LEADER,
      body: note('a'),
      to: [UP_1, UP_2, UP_3, OTHER],
      from: [UP_2, UP_3, OTHER],
    },
    { what: 'of a member goes the first way up', signer: OTHER, body: note('a'), to: [UP_1], from: [UP_2] },
    {
      what: 'that is a vote goes all ways up',
      signer: OTHER,
      body: accusationBy(OTHER),
      to: [UP_1, UP_2, UP_3],
      from: [UP_2, UP_3],
    },
  ])('$what, and never back to who brought it', ({ signer, body, to, from }) => {
    expect(pass(signer, body)).toEqual(to)
    expect(pass(signer, body, UP_1)).toEqual(from)
  })

  test('that has come round goes on by another way, and not back to who said it', () => {
    expect(pass(UP_1, note('a'))).toEqual([UP_2])
    expect(pass(UP_1, note('a'), UP_2)).toEqual([UP_3])
    const { dissemination, uplinksBecome } = speaker()
    uplinksBecome([UP_1])
    const item = { signed: signed(UP_1, note('a')), ageMs: 0 }
    expect(recipients(dissemination.pass(item, UP_2))).toEqual([UP_3])
  })

  test('goes up by the first way that is still open, and to any neighbour when none is', () => {
    const { dissemination, links } = speaker()
    links.cut(UP_1)
    expect(sent(dissemination.say(0, note('a'), 1_000))).toEqual([[UP_2, 'note/a']])
    for (const peer of [UP_2, UP_3]) links.cut(peer)
    expect(sent(dissemination.say(0, note('b'), 1_000))).toEqual(
      links.peers.slice(0, 1).map((peer) => [peer, 'note/b']),
    )
  })
})

test('a node that has just started tells its first peers what it has to say, as none knows it yet', () => {
  const { dissemination, links, uplinksBecome } = speaker()
  uplinksBecome([])
  for (const peer of [UP_1, UP_2, UP_3, OTHER]) links.cut(peer)
  expect(sent(dissemination.say(0, note('a'), 1_000))).toEqual([])
  const told = [UP_1, UP_2, UP_3].map((peer) => {
    links.opened(peer, 'me')
    return sent(dissemination.opened(100, peer)).length
  })
  expect(told).toEqual([1, 1, 0])
})

test('all that a node says itself is said again to a new leader, and of what it passed on who has left', () => {
  const { dissemination, gossip, uplinksBecome } = speaker()
  const leave: StatementBody = { kind: 'leave', incarnation: FIRST_LIFE, reason: 'update', forMs: 800 }
  gossip.receive(0, { signed: signed(UP_2, leave), ageMs: 0 })
  gossip.receive(0, { signed: signed(OTHER, leave), ageMs: 0 })
  const { statement } = signed(OTHER, { kind: 'announcement', incarnation: { ...FIRST_LIFE, boot: 2 } })
  const back = { ...statement, boot: 2 }
  gossip.receive(1, { signed: { statement: back, signature: standInKeyring(OTHER).sign('statement', back) }, ageMs: 0 })
  dissemination.say(0, note('a'), 1_000)
  dissemination.say(0, note('b'), 5_000)
  gossip.receive(0, { signed: signed(OTHER, note('c')), ageMs: 0 })
  uplinksBecome([UP_3])
  expect(sent(dissemination.sayAgain(500))).toEqual([
    [UP_3, 'note/a'],
    [UP_3, 'note/b'],
    [UP_3, 'leave'],
  ])
  // What no longer holds is not said again.
  expect(sent(dissemination.sayAgain(1_000))).toEqual([
    [UP_3, 'note/b'],
    [UP_3, 'leave'],
  ])
  expect(sent(dissemination.sayAgain(600_000))).toEqual([])
})

test('what went up in the last 15 s goes up again when the edge is lost, with its age by now; what is older does not', () => {
  const { dissemination, gossip, links } = speaker()
  gossip.receive(0, { signed: signed(UP_2, note('old')), ageMs: 0 })
  gossip.receive(1, { signed: signed(OTHER, note('recent')), ageMs: 100 })
  gossip.receive(1, { signed: signed(LEADER, note('to all')), ageMs: 0 })
  dissemination.say(10_000, note('mine'), 60_000)
  links.cut(UP_1)
  const again = dissemination.lost(15_001)
  expect(sent(again)).toEqual([
    [UP_2, 'note/recent'],
    [UP_2, 'note/mine'],
  ])
  expect(again[0]).toMatchObject({ message: { items: [{ ageMs: 15_100 }] } })
})

test('what an aggregator says itself goes to all', () => {
  const { dissemination } = speaker(LEADER)
  expect(recipients(dissemination.say(0, note('a'), 1_000))).toEqual([UP_1, UP_2, UP_3, OTHER])
})
