/** The whole core of one node, spoken to directly: what it does with what others send. */
import { describe, expect, test } from 'vitest'
import type { Core } from '../../mesh/core/core.ts'
import { keyOf } from '../../mesh/core/gossip.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import { type Incarnation, LEAVE_MS_MAX } from '../../mesh/core/model.ts'
import {
  accusation,
  coreOf,
  gossip,
  ME,
  OTHER,
  opened,
  PEER,
  ring,
  rollCall,
  rollCalls,
  roster,
  SUBJECT,
  says,
  sent,
  tell,
} from './driven-core.ts'
import { FIRST_LIFE, LEADER, momentAt } from './sample-mesh.ts'

describe('votes', () => {
  const accusers = ring.observersOf(SUBJECT).slice(0, 6)

  test('that are said now make a roll-call', () => {
    const leader = opened(coreOf(LEADER), PEER)
    expect(rollCalls(accusers.flatMap((voter) => tell(leader, 10, gossip(accusation(voter, SUBJECT)))))).toBe(1)
  })

  test('of an earlier term make none: they were said to another leader', () => {
    const leader = opened(coreOf(LEADER, 2), PEER)
    const before = ring.observersOf(SUBJECT).map((voter) => accusation(voter, SUBJECT, 1))
    expect(rollCalls(tell(leader, 10, gossip(...before)))).toBe(0)
    expect(leader.leader?.conditions.suspected.size).toBe(0)
  })

  test('are heard once: copies by another way are neither votes nor passed on', () => {
    const leader = opened(coreOf(LEADER), PEER, OTHER)
    const items = accusers.map((voter) => accusation(voter, SUBJECT))
    tell(leader, 10, gossip(...items))
    expect(tell(leader, 20, gossip(...items), OTHER)).toEqual([])
  })

  test('of somebody who does not observe the subject are dropped and counted', () => {
    const leader = opened(coreOf(LEADER), PEER)
    const stranger = roster.members
      .map(({ node }) => node)
      .find((node) => node !== SUBJECT && !ring.observersOf(SUBJECT).includes(node))
    expect(tell(leader, 10, gossip(accusation(stranger ?? '', SUBJECT)))).toEqual([
      { kind: 'dropped', why: 'authority', from: PEER },
    ])
  })
})

describe('what an aggregator says', () => {
  const note = says(LEADER, { kind: 'note', topic: 'a', bytes: Buffer.from('text') })

  test('is passed on once, to everybody but who brought it, and told to the owner', () => {
    const core = opened(coreOf(ME), PEER, OTHER, LEADER)
    const effects = tell(core, 10, gossip(note))
    expect(sent(effects, 'gossip').map(({ to }) => to)).toEqual([OTHER, LEADER])
    expect(effects).toContainEqual({ kind: 'heard', signed: note.signed })
    expect(tell(core, 20, gossip(note), OTHER)).toEqual([])
  })

  test('is sent to a neighbour that lacks it when they compare', () => {
    const core = opened(coreOf(ME), PEER)
    tell(core, 10, gossip(note))
    const [reply] = sent(tell(core, 510, { kind: 'digest', part: 0, parts: 1, entries: [] }), 'gossip')
    expect([reply?.to, reply?.message.items]).toEqual([PEER, [{ ...note, ageMs: 500 }]])
    expect(tell(core, 520, { kind: 'digest', part: 0, parts: 1, entries: [[LEADER, 'note/a', 1, 1]] })).toEqual([])
  })
})

describe('what a member says', () => {
  const note = says(OTHER, { kind: 'note', topic: 'a', bytes: Buffer.from('text') })
  const publish = (core: Core, ms: number) =>
    core.step(momentAt(ms), { kind: 'publish', topic: 'mine', bytes: Buffer.from('x'), ttlMs: 1_000 })
  const topics = (effects: readonly Effect[]) =>
    sent(effects, 'gossip').map(({ to, message }) => [
      to,
      ...message.items.map(({ signed }) => keyOf(signed.statement.body)),
    ])

  test('goes to two neighbours before a roll-call told the way, and then up, once, and nobody is told on the way', () => {
    const core = opened(coreOf(ME), OTHER, PEER, LEADER)
    expect(topics(tell(core, 10, gossip(note), LEADER))).toEqual([[PEER, 'note/a']])
    const late = opened(coreOf(ME), PEER, OTHER, LEADER)
    tell(late, 10, rollCall(), LEADER)
    const effects = tell(late, 20, gossip(note), OTHER)
    expect(sent(effects, 'gossip').map(({ to }) => to)).toEqual([LEADER])
    expect(effects.some(({ kind }) => kind === 'heard')).toBe(false)
    expect(tell(late, 30, gossip(note), PEER)).toEqual([])
  })

  test('is told to its owner by an aggregator, which passes it to nobody', () => {
    expect(tell(opened(coreOf(LEADER), PEER, OTHER), 10, gossip(note))).toEqual([
      { kind: 'heard', signed: note.signed },
    ])
  })

  test('here is superseded by the next under its topic', () => {
    const core = opened(coreOf(ME), PEER)
    tell(core, 5, rollCall())
    const seqs = [10, 20].flatMap((ms) =>
      sent(publish(core, ms), 'gossip').map(({ message }) => message.items[0]?.signed.statement.seq ?? 0),
    )
    expect(seqs).toHaveLength(2)
    expect(seqs[1]).toBeGreaterThan(seqs[0] ?? 0)
  })

  test('here before there was a way up goes up with the first roll-call, and again to a new leader', () => {
    const core = coreOf(ME)
    expect(topics(publish(core, 10))).toEqual([])
    opened(core, PEER, OTHER)
    expect(topics(tell(core, 20, rollCall({ nonce: 'b1' })))).toEqual([[PEER, 'note/mine']])
    expect(topics(tell(core, 30, rollCall({ nonce: 'b2' })))).toEqual([])
    expect(topics(tell(core, 40, rollCall({ nonce: 'b3', term: 2 }), OTHER))).toEqual([[OTHER, 'note/mine']])
  })

  test('here, said again to a new leader, passes a neighbour that passed on its old form to the leader before', () => {
    const [core, relay] = [opened(coreOf(ME), PEER), opened(coreOf(PEER), ME, OTHER, LEADER)]
    tell(core, 10, rollCall(), PEER)
    tell(relay, 10, rollCall(), LEADER)
    const [first] = sent(publish(core, 20), 'gossip')
    expect(topics(tell(relay, 21, first?.message ?? gossip(), ME))).toEqual([[LEADER, 'note/mine']])
    const later = rollCall({ nonce: 'b3', term: 2 })
    tell(relay, 30, later, OTHER)
    const [again] = sent(tell(core, 31, later, PEER), 'gossip')
    expect(topics(tell(relay, 32, again?.message ?? gossip(), ME))).toEqual([[OTHER, 'note/mine']])
  })

  test('that went up by a peer whose edge breaks goes up by another', () => {
    const core = opened(coreOf(ME), PEER, OTHER, LEADER)
    tell(core, 10, rollCall(), LEADER)
    tell(core, 11, rollCall(), PEER)
    tell(core, 20, gossip(note), OTHER)
    const close = core.step(momentAt(30), { kind: 'closed', peer: LEADER, by: 'them' })
    expect(topics(close)).toEqual([[PEER, 'note/a']])
    expect(core.step(momentAt(40), { kind: 'closed', peer: OTHER, by: 'them' })).toEqual([])
  })
})

describe('a leave', () => {
  test('is told to all who have an edge with the node that leaves, and names its life', () => {
    const core = opened(coreOf(ME), PEER, OTHER)
    const told = sent(core.step(momentAt(10), { kind: 'leave', reason: 'update', forMs: 600_000 }), 'gossip')
    expect(told.map(({ to }) => to)).toEqual([PEER, OTHER])
    const leave = { kind: 'leave', incarnation: FIRST_LIFE, reason: 'update', forMs: LEAVE_MS_MAX }
    expect(told[0]?.message.items[0]?.signed.statement.body).toEqual(leave)
  })

  test('that the leader hears takes the node off the live members until it is back', () => {
    const leader = opened(coreOf(LEADER), PEER)
    const noticed = (effects: readonly Effect[]) =>
      effects.flatMap((effect) => (effect.kind === 'notice' ? [effect.notice.kind] : []))
    const leave = says(OTHER, { kind: 'leave', incarnation: FIRST_LIFE, reason: 'update', forMs: 60_000 })
    expect(noticed(tell(leader, 10, gossip(leave)))).toEqual(['left'])
    const back = says(OTHER, { kind: 'announcement', incarnation: { ...FIRST_LIFE, boot: 2 } }, 2)
    expect(noticed(tell(leader, 20, gossip(back)))).toEqual(['returned'])
  })
})

test('a probe is answered at once, on the stream it came by', () => {
  const effects = tell(opened(coreOf(ME), PEER), 10, { kind: 'probe', seq: 4 })
  expect(effects).toEqual([
    {
      kind: 'send',
      to: PEER,
      via: 'theirs',
      message: { kind: 'ack', seq: 4, wallMs: momentAt(10).wallMs, incarnation: FIRST_LIFE },
    },
  ])
})

describe('a node that is told to be down', () => {
  const down = (incarnation: Incarnation, signer = LEADER) =>
    says(signer, {
      kind: 'down',
      subject: ME,
      incarnation,
      verdict: 'NodeDown',
      verdictId: 'v',
      standing: true,
      latest: incarnation,
      recoverBeats: 3,
      heard: false,
    })

  test('contradicts under a new incarnation', () => {
    const core = opened(coreOf(ME), PEER)
    tell(core, 5, rollCall())
    const told = sent(tell(core, 10, gossip(down(FIRST_LIFE))), 'gossip').flatMap(({ message }) => message.items)
    const refuted = { ...FIRST_LIFE, refutations: 1 }
    expect(core.incarnation).toEqual(refuted)
    expect(told.map(({ signed }) => signed.statement.body)).toContainEqual({
      kind: 'announcement',
      incarnation: refuted,
    })
  })

  test('does not care when an earlier life is meant, or when a member says so', () => {
    const core = opened(coreOf(ME), PEER)
    tell(core, 10, gossip(down({ ...FIRST_LIFE, boot: 0 })))
    tell(core, 20, gossip(down(FIRST_LIFE, OTHER)))
    expect(core.incarnation).toEqual(FIRST_LIFE)
  })
})

describe('a hint', () => {
  const [CO_OBSERVER = ''] = ring.observersOf(SUBJECT).filter((node) => node !== ME)
  const hint = (parts: Partial<Extract<Message, { kind: 'hint' }>> = {}): Message => ({
    kind: 'hint',
    path: [],
    from: CO_OBSERVER,
    subject: SUBJECT,
    ...parts,
  })
  const asks = (effects: readonly Effect[]) => effects.filter(({ kind }) => kind === 'askHost').length
  /** A node with an open edge to its subject. */
  const watching = () => {
    const core = opened(coreOf(ME), PEER)
    core.step(momentAt(0), { kind: 'tick' })
    core.step(momentAt(1), { kind: 'opened', peer: SUBJECT, by: 'me', incarnation: FIRST_LIFE })
    return core
  }

  test('of a co-observer makes this node look at once', () => {
    expect(asks(tell(watching(), 10, hint()))).toBe(1)
  })

  test('of somebody who does not observe the subject, or about one that this node does not observe, is dropped', () => {
    const dropped = [{ kind: 'dropped', why: 'hint', from: PEER }]
    const notMine = roster.members.map(({ node }) => node).find((node) => !ring.subjectsOf(ME).includes(node)) ?? ''
    expect(tell(watching(), 10, hint({ from: SUBJECT }))).toEqual(dropped)
    expect(tell(watching(), 10, hint({ subject: notMine, from: ring.observersOf(notMine)[0] ?? '' }))).toEqual(dropped)
  })

  test('is heard once a beat from each', () => {
    const core = watching()
    tell(core, 10, hint())
    expect(tell(core, 20, hint())).toEqual([])
  })

  test('on its way to somebody else is passed on along its path, one hop shorter', () => {
    const effects = tell(watching(), 10, hint({ path: [PEER, 'further'] }), OTHER)
    expect(sent(effects, 'hint')).toEqual([{ to: PEER, message: hint({ path: ['further'] }) }])
    expect(sent(tell(watching(), 10, hint({ path: ['unknown'] })), 'hint')).toEqual([])
  })
})

test('a tick that comes late makes the node unfit to answer, rather than all others suspect', () => {
  const core = opened(coreOf(ME), ...ring.neighboursOf(ME))
  core.step(momentAt(0), { kind: 'tick' })
  for (const peer of ring.subjectsOf(ME))
    core.step(momentAt(1), { kind: 'opened', peer, by: 'me', incarnation: FIRST_LIFE })
  const late = core.nextTickAt + 60_000
  const effects = core.step(momentAt(late), { kind: 'tick' })
  expect(effects.filter(({ kind }) => kind === 'askHost' || kind === 'abort')).toEqual([])
  const [reply] = sent(tell(core, late + 1, rollCall({ subjects: [SUBJECT] })), 'answers')
  expect(reply?.message.answers.map(({ answer }) => [answer.opinion, answer.reason])).toEqual([['Abstain', 'paused']])
})
