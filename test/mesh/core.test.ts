/** The whole core of one node, spoken to directly: what it does with what others send. */
import { describe, expect, test } from 'vitest'
import { Core } from '../../mesh/core/core.ts'
import type { Heard } from '../../mesh/core/gossip.ts'
import type { Effect, Input, Message } from '../../mesh/core/message.ts'
import type { Incarnation, StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { FIRST_LIFE, LEADER, momentAt, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const ring = ringOf(roster)
const ME = nodeName(0)
const [SUBJECT = ''] = ring.subjectsOf(ME)
const [PEER = '', OTHER = ''] = ring.neighboursOf(ME).filter((node) => node !== SUBJECT)

function coreOf(node: string): Core {
  const lead = { term: 1, rosterHash: 'ab'.repeat(32), standing: [], nonce: () => 'a1' }
  return new Core(momentAt(0), {
    node,
    incarnation: FIRST_LIFE,
    roster,
    keyring: standInKeyring(node),
    timing: DEFAULT_TIMING,
    random: seededRandom(1),
    ...(node === LEADER ? { lead } : {}),
  })
}

function opened(core: Core, ...peers: readonly string[]): Core {
  for (const peer of peers) core.step(momentAt(0), { kind: 'opened', peer, by: 'them', incarnation: FIRST_LIFE })
  return core
}

function says(signer: string, body: StatementBody, seq = 1): Heard {
  const statement = { signer, serial: 1, boot: 1, seq, ttlMs: 12_000, body }
  return { signed: { statement, signature: standInKeyring(signer).sign('statement', statement) }, ageMs: 0 }
}

function accusation(voter: string, subject: string): Heard {
  const about = { subject, incarnation: FIRST_LIFE, epoch: roster.epoch } as const
  return says(voter, { kind: 'accusation', ...about, opinion: 'NodeDown', channel: 'nothing', silentMs: 1_000 })
}

function gossip(history: boolean, ...items: readonly Heard[]): Message {
  return { kind: 'gossip', history, items }
}

function tell(core: Core, ms: number, message: Message, from = PEER): readonly Effect[] {
  const input: Input = { kind: 'message', from, message }
  return core.step(momentAt(ms), input)
}

function sent<K extends Message['kind']>(effects: readonly Effect[], kind: K) {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === kind
      ? [{ to: effect.to, message: effect.message as Extract<Message, { kind: K }> }]
      : [],
  )
}

function rollCalls(effects: readonly Effect[]): number {
  return effects.filter((effect) => effect.kind === 'notice' && effect.notice.kind === 'rollCall').length
}

describe('votes', () => {
  const accusers = ring.observersOf(SUBJECT).slice(0, 6)

  test('that are said now make a roll-call', () => {
    const leader = opened(coreOf(LEADER), PEER)
    expect(rollCalls(accusers.flatMap((voter) => tell(leader, 10, gossip(false, accusation(voter, SUBJECT)))))).toBe(1)
  })

  test('that are fetched from a neighbour are history and make none', () => {
    const leader = opened(coreOf(LEADER), PEER)
    const items = ring.observersOf(SUBJECT).map((voter) => accusation(voter, SUBJECT))
    const effects = tell(leader, 10, gossip(true, ...items))
    expect(rollCalls(effects)).toBe(0)
    expect(effects.filter((effect) => effect.kind === 'heard' && effect.history)).toHaveLength(items.length)
    expect(leader.leader?.conditions.suspected.size).toBe(0)
  })

  test('count when they are said now even if a neighbour was quicker to hand them on as history', () => {
    const leader = opened(coreOf(LEADER), PEER, OTHER)
    const items = accusers.map((voter) => accusation(voter, SUBJECT))
    tell(leader, 10, gossip(true, ...items))
    expect(rollCalls(items.flatMap((item) => tell(leader, 20, gossip(false, item), OTHER)))).toBe(1)
    // Once is enough: further copies are neither votes nor passed on.
    expect(items.flatMap((item) => tell(leader, 30, gossip(false, item), OTHER))).toEqual([])
  })

  test('of somebody who does not observe the subject are dropped and counted', () => {
    const leader = opened(coreOf(LEADER), PEER)
    const stranger = roster.members
      .map(({ node }) => node)
      .find((node) => node !== SUBJECT && !ring.observersOf(SUBJECT).includes(node))
    expect(tell(leader, 10, gossip(false, accusation(stranger ?? '', SUBJECT)))).toEqual([
      { kind: 'dropped', why: 'authority', from: PEER },
    ])
  })
})

describe('a statement', () => {
  const note = says(OTHER, { kind: 'note', topic: 'a', bytes: Buffer.from('text') })

  test('is passed on once, to everybody but who brought it', () => {
    const core = opened(coreOf(ME), PEER, OTHER, LEADER)
    expect(sent(tell(core, 10, gossip(false, note)), 'gossip').map(({ to }) => to)).toEqual([OTHER, LEADER])
    expect(tell(core, 20, gossip(false, note), OTHER)).toEqual([])
  })

  test('published here goes to all, and is superseded by the next under its topic', () => {
    const core = opened(coreOf(ME), PEER, OTHER)
    const publish = (ms: number) =>
      core.step(momentAt(ms), { kind: 'publish', topic: 'mine', bytes: Buffer.from('x'), ttlMs: 1_000 })
    const [first] = sent(publish(10), 'gossip')
    const [second] = sent(publish(20), 'gossip')
    const seqOf = (one: typeof first) => one?.message.items[0]?.signed.statement.seq ?? 0
    expect(seqOf(second)).toBeGreaterThan(seqOf(first))
  })

  test('that a neighbour lacks is sent to it as history when it compares', () => {
    const core = opened(coreOf(ME), PEER)
    tell(core, 10, gossip(false, note))
    const [reply] = sent(tell(core, 510, { kind: 'digest', from: '', to: '\uffff', entries: [] }), 'gossip')
    const item = reply?.message.items.find(({ signed }) => signed.statement.signer === OTHER)
    expect([reply?.to, reply?.message.history, item?.ageMs]).toEqual([PEER, true, 500])
    expect(
      tell(core, 520, {
        kind: 'digest',
        from: '',
        to: '\uffff',
        entries: (reply?.message.items ?? []).map(
          ({
            signed: {
              statement: { signer, boot, seq, body },
            },
          }) => [signer, body.kind === 'note' ? `note/${body.topic}` : body.kind, boot, seq] as const,
        ),
      }),
    ).toEqual([])
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
    says(signer, { kind: 'down', subject: ME, incarnation, verdict: 'NodeDown', verdictId: 'v', standing: true })

  test('contradicts under a new incarnation', () => {
    const core = opened(coreOf(ME), PEER)
    const told = sent(tell(core, 10, gossip(false, down(FIRST_LIFE))), 'gossip').flatMap(({ message }) => message.items)
    const refuted = { ...FIRST_LIFE, refutations: 1 }
    expect(core.incarnation).toEqual(refuted)
    expect(told.map(({ signed }) => signed.statement.body)).toContainEqual({
      kind: 'announcement',
      incarnation: refuted,
    })
  })

  test('does not care when an earlier life is meant, or when a member says so', () => {
    const core = opened(coreOf(ME), PEER)
    tell(core, 10, gossip(false, down({ ...FIRST_LIFE, boot: 0 })))
    tell(core, 20, gossip(false, down(FIRST_LIFE, OTHER)))
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
    expect(tell(core, 20, hint())).toEqual([{ kind: 'dropped', why: 'hint', from: PEER }])
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
  const rollCall = {
    leader: LEADER,
    epoch: roster.epoch,
    term: 1,
    nonce: 'b2',
    subjects: [{ node: SUBJECT, incarnation: FIRST_LIFE }],
  }
  const call = { rollCall, signature: standInKeyring(LEADER).sign('roll-call', rollCall) }
  const [reply] = sent(tell(core, late + 1, { kind: 'roll-call', call }), 'answers')
  expect(reply?.message.answers.map(({ answer }) => [answer.opinion, answer.reason])).toEqual([['Abstain', 'paused']])
})
