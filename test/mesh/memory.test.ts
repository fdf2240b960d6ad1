/** What peers can make a node remember: ten thousand messages at random leave no more than so much behind. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Core } from '../../mesh/core/core.ts'
import { Gossip, type Heard, KEYS_PER_AGGREGATOR, KEYS_PER_MEMBER, keyOf } from '../../mesh/core/gossip.ts'
import { Links } from '../../mesh/core/links.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import type { SignedRollCall } from '../../mesh/core/model.ts'
import { emptyPresence } from '../../mesh/core/presence.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { RollCallDesk } from '../../mesh/core/roll-call.ts'
import { RosterExchange } from '../../mesh/core/roster-exchange.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { DrivenLeader } from './driven-leader.ts'
import { FIRST_LIFE, LEADER, momentAt, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const MESSAGES = 10_000
const TTL_MS = 600_000
const roster = sampleRoster({ nodes: 20 })
const ring = ringOf(roster)
const ME = nodeName(0)
const [SUBJECT = ''] = ring.subjectsOf(ME)
const EVERYBODY = roster.members.map(({ node }) => node)
const anyNode = fc.constantFrom(...EVERYBODY, LEADER, 'nobody')

test('statements: so many keys of each signer, while they hold and after they expired', () => {
  const gossip = new Gossip({ node: LEADER, serial: 1, boot: 1 }, standInKeyring(LEADER), new Membership(roster))
  const signers = [nodeName(1), nodeName(2)]
  const spoken = fc.record({ signer: fc.constantFrom(...signers), topic: fc.nat({ max: 20_000 }) })
  const items = fc.sample(spoken, MESSAGES).map(({ signer, topic }, seq): Heard => {
    const body = { kind: 'note', topic: `${topic}`, bytes: new Uint8Array(1) } as const
    const statement = { signer, serial: 1, boot: 1, seq, ttlMs: TTL_MS, body }
    return { signed: { statement, signature: standInKeyring(signer).sign('statement', statement) }, ageMs: 0 }
  })
  const rounds = 4
  for (let round = 0; round < rounds; round++) {
    const now = round * TTL_MS
    const part = MESSAGES / rounds
    for (const item of items.slice(round * part, (round + 1) * part)) gossip.receive(now, item)
    expect(gossip.ofMembers(now, 0)).toHaveLength(signers.length * KEYS_PER_MEMBER)
    gossip.expire(now + TTL_MS)
    expect(gossip.ofMembers(now + TTL_MS, 0)).toEqual([])
  }
  // Too old to be taken in, so those that are known are those that it remembers to have expired.
  const known = items.filter((item) => gossip.receive(rounds * TTL_MS, { ...item, ageMs: TTL_MS }).kind === 'known')
  const keys = new Set(known.map(({ signed: { statement } }) => `${statement.signer} ${keyOf(statement.body)}`))
  expect(keys.size).toBe(signers.length * KEYS_PER_MEMBER)
})

test('a digest: so many keys of each aggregator', () => {
  const gossip = new Gossip({ node: ME, serial: 1, boot: 1 }, standInKeyring(ME), new Membership(roster))
  for (const [seq, topic] of fc.sample(fc.nat(), MESSAGES).entries()) {
    const body = { kind: 'note', topic: `${topic}`, bytes: new Uint8Array(1) } as const
    const statement = { signer: LEADER, serial: 1, boot: 1, seq, ttlMs: TTL_MS, body }
    gossip.receive(0, {
      signed: { statement, signature: standInKeyring(LEADER).sign('statement', statement) },
      ageMs: 0,
    })
  }
  expect(gossip.digest().flatMap(({ entries }) => entries)).toHaveLength(KEYS_PER_AGGREGATOR)
})

test('roll-calls that wait for a roster: four, and one question to each peer', () => {
  const exchange = new RosterExchange(7, new Uint8Array(0))
  const call = fc.record({ from: anyNode, epoch: fc.integer({ min: 8, max: 12 }), nonce: fc.nat() })
  const asked = fc.sample(call, MESSAGES).flatMap(({ from, epoch, nonce }) => {
    const rollCall = { leader: LEADER, epoch, term: 1, nonce: nonce.toString(16), subjects: [] }
    return exchange.hold(from, { rollCall, signature: new Uint8Array(64) })
  })
  expect(asked.length).toBeLessThanOrEqual(EVERYBODY.length + 2)
  expect(exchange.advanced(12, new Uint8Array(0))).toHaveLength(4)
})

test('open roll-calls and their answers: four, and one answer of each observer about each subject', () => {
  const voter = { node: ME, serial: 1, observes: () => false, answer: () => undefined, isDegraded: () => false }
  const desk = new RollCallDesk(voter, new Membership(roster), standInKeyring(ME), DEFAULT_TIMING)
  const links = new Links()
  const subjects = [SUBJECT, nodeName(9)]
  for (let index = 0; index < MESSAGES / 10; index++)
    desk.receive(0, nodeName(1), callOf(index.toString(16), subjects), links)
  const answer = fc.record({ nonce: fc.nat({ max: 9 }), voter: anyNode, subject: anyNode, forMs: fc.nat() })
  for (const { nonce, ...said } of fc.sample(answer, MESSAGES)) {
    const question = { nonce: nonce.toString(16), epoch: roster.epoch, voterSerial: 1, incarnation: FIRST_LIFE }
    const answers = [
      {
        answer: { ...question, ...said, opinion: 'NodeDown', channel: 'nothing', reason: '' },
        signature: new Uint8Array(64),
      },
    ] as const
    const present = emptyPresence(20)
    desk.relay(1, { kind: 'answers', nonce: question.nonce, present, degraded: present, answers })
  }
  const back = desk.tick(100).flatMap((effect) => {
    return effect.kind === 'send' && effect.message.kind === 'answers' ? [effect.message.answers.length] : []
  })
  expect(back).toHaveLength(4)
  for (const count of back) {
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(subjects.length * 10)
  }
})

function callOf(nonce: string, subjects: readonly string[]): SignedRollCall {
  const asked = subjects.map((node) => ({ node, incarnation: FIRST_LIFE }))
  const rollCall = { leader: LEADER, epoch: roster.epoch, term: 1, nonce, subjects: asked }
  return { rollCall, signature: standInKeyring(LEADER).sign('roll-call', rollCall) }
}

test('who hinted: one place for each co-observer, the first included, and one answer when the subject acks', () => {
  const random = seededRandom(1)
  const core = new Core(momentAt(0), {
    node: ME,
    incarnation: FIRST_LIFE,
    roster,
    rosterBytes: new Uint8Array(0),
    keyring: standInKeyring(ME),
    timing: DEFAULT_TIMING,
    random: () => random(),
  })
  const tell = (from: string, message: Message): readonly Effect[] =>
    core.step(momentAt(1), { kind: 'message', from, message })
  // With an edge to everybody, an answer to one takes one message.
  for (const peer of EVERYBODY) core.step(momentAt(0), { kind: 'opened', peer, by: 'them', incarnation: FIRST_LIFE })
  core.step(momentAt(0), { kind: 'tick' })
  const opened = core.step(momentAt(0), { kind: 'opened', peer: SUBJECT, by: 'me', incarnation: FIRST_LIFE })
  const hints = fc.sample(fc.record({ from: anyNode, relay: anyNode }), MESSAGES)
  const asked = hints.flatMap(({ from, relay }) => tell(relay, { kind: 'hint', path: [], from, subject: SUBJECT }))
  const probes = [...opened, ...asked].flatMap((effect) => {
    return effect.kind === 'send' && effect.message.kind === 'probe' && effect.to === SUBJECT
      ? [effect.message.seq]
      : []
  })
  const ack: Message = { kind: 'ack', seq: probes.at(-1) ?? 0, wallMs: 0, incarnation: FIRST_LIFE }
  const told = tell(SUBJECT, ack).flatMap((effect) => {
    return effect.kind === 'send' && effect.message.kind === 'indirect-ack' ? [effect.to] : []
  })
  expect(told.toSorted()).toEqual(
    ring
      .observersOf(SUBJECT)
      .filter((node) => node !== ME)
      .toSorted(),
  )
})

test("what a leader keeps of observers' views: one of each about whom it asked, and nothing about others", () => {
  const leader = new DrivenLeader({ roster })
  leader.accuse(SUBJECT, leader.observersOf(SUBJECT).slice(0, 6)).tick(0)
  const said = fc.record({ voter: fc.constantFrom(...EVERYBODY), subject: fc.constantFrom(...EVERYBODY) })
  const answers = fc
    .sample(said, MESSAGES)
    .map(({ voter, subject }) => leader.answer(subject, voter, { opinion: 'Alive' }))
  leader.hears(answers).tick(DEFAULT_TIMING.rollCallMs)
  const observers = leader.observersOf(SUBJECT)
  for (const node of EVERYBODY) {
    const seen = leader.leader.disputes.sightsOf(node).map(({ observer }) => observer)
    expect(seen.toSorted()).toEqual(node === SUBJECT ? observers.toSorted() : [])
  }
})
