/** A member's part in a roll-call: passing on the question, answering it, and passing back what others answer. */
import { describe, expect, test } from 'vitest'
import { Links } from '../../mesh/core/links.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import type { Answer, RollCall, SignedAnswer, SignedRollCall } from '../../mesh/core/model.ts'
import { emptyPresence, hasMember, withMember } from '../../mesh/core/presence.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { RollCallDesk, type Voter } from '../../mesh/core/roll-call.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleMember, sampleRoster, standInKeyring } from './sample-mesh.ts'

const SECOND_LEADER = 'aggregator-2'
const sample = sampleRoster({ nodes: 20 })
const roster = { ...sample, aggregators: [...sample.aggregators, sampleMember(SECOND_LEADER, '')] }
const [ME, PARENT, SECOND, THIRD] = [nodeName(0), nodeName(1), nodeName(2), nodeName(3)]
const MY_INDEX = 0
const NOBODY = new Uint8Array(0)
const [SUBJECT = ''] = ringOf(roster).subjectsOf(ME)
const { rollCallMs, rollCallBatchMs } = DEFAULT_TIMING
const OTHERS = ringOf(roster)
  .observersOf(SUBJECT)
  .filter((node) => node !== ME)

type Own = NonNullable<ReturnType<Voter['answer']>>
const SILENT: Own = { incarnation: FIRST_LIFE, opinion: 'NodeDown', channel: 'nothing', forMs: 1_200, reason: '' }

function callOf(parts: Partial<RollCall> = {}): SignedRollCall {
  const subjects = [{ node: SUBJECT, incarnation: FIRST_LIFE }]
  const rollCall: RollCall = { leader: LEADER, epoch: roster.epoch, term: 3, nonce: 'a1', subjects, ...parts }
  return { rollCall, signature: standInKeyring(rollCall.leader).sign('roll-call', rollCall) }
}

function answerOf(voter: string, parts: Partial<Answer> = {}): SignedAnswer {
  const answer: Answer = {
    nonce: 'a1',
    epoch: roster.epoch,
    voter,
    voterSerial: 1,
    subject: SUBJECT,
    ...SILENT,
    ...parts,
  }
  return { answer, signature: standInKeyring(voter).sign('answer', answer) }
}

/** The desk of `ME`, which answers what `own` holds at the moment. */
class Desk {
  own: Own | undefined = SILENT
  isDegraded = false
  readonly links = new Links()
  readonly #desk: RollCallDesk

  constructor() {
    const voter: Voter = {
      node: ME,
      serial: 1,
      observes: (subject) => subject === SUBJECT,
      answer: () => this.own,
      isDegraded: () => this.isDegraded,
    }
    for (const peer of [PARENT, SECOND, THIRD]) this.links.opened(peer, 'me')
    this.links.opened(nodeName(9), 'them')
    this.#desk = new RollCallDesk(voter, new Membership(roster), standInKeyring(ME), DEFAULT_TIMING)
  }

  receive(ms: number, call: SignedRollCall, from = PARENT): readonly Effect[] {
    return this.#desk.receive(ms, from, call, this.links)
  }

  relay(
    ms: number,
    answers: readonly SignedAnswer[],
    present = emptyPresence(20),
    degraded: Uint8Array = NOBODY,
  ): void {
    this.#desk.relay(ms, { kind: 'answers', nonce: 'a1', present, degraded, answers })
  }

  /** What flows back at this moment, by whom it is sent to. */
  flowsBack(ms: number): ReadonlyMap<string, Extract<Message, { kind: 'answers' }>> {
    return new Map(
      this.#desk.tick(ms).flatMap((effect) => {
        return effect.kind === 'send' && effect.message.kind === 'answers' ? [[effect.to, effect.message] as const] : []
      }),
    )
  }

  get uplinks(): readonly string[] {
    return this.#desk.uplinks
  }

  get term(): number {
    return this.#desk.term
  }

  get leader(): string {
    return this.#desk.leader
  }

  advanced(): void {
    this.#desk.advanced()
  }

  get nextAt() {
    return (ms: number) => this.#desk.nextAt(ms)
  }
}

function recipients(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.to] : []))
}

const DROPPED = [{ kind: 'dropped', why: 'roll-call', from: PARENT }]

describe('a question', () => {
  test('is passed on over the edges that this node opened, but to who brought it, once', () => {
    const desk = new Desk()
    expect(recipients(desk.receive(0, callOf()))).toEqual([SECOND, THIRD])
    expect(desk.receive(1, callOf(), SECOND)).toEqual([])
  })

  test('that comes again after it was closed goes nowhere: else one slow edge would keep it going for ever', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.flowsBack(rollCallMs)
    expect(desk.receive(rollCallMs + 100, callOf(), SECOND)).toEqual([])
    expect(desk.flowsBack(rollCallMs + 100).size).toBe(0)
  })

  test.each([
    { what: 'not signed by its leader', call: { ...callOf(), signature: callOf({ nonce: 'ff' }).signature } },
    { what: 'of somebody who is no aggregator', call: callOf({ leader: PARENT }) },
    { what: 'on another epoch', call: callOf({ epoch: roster.epoch + 1 }) },
  ])('$what is dropped and counted', ({ call }) => {
    const desk = new Desk()
    expect(desk.receive(0, call)).toEqual(DROPPED)
    expect(desk.flowsBack(0).size).toBe(0)
  })

  test('of an earlier leader is dropped once a later one has asked', () => {
    const desk = new Desk()
    desk.receive(0, callOf({ term: 4 }))
    expect(desk.receive(1, callOf({ term: 3, nonce: 'b2' }))).toEqual(DROPPED)
    expect(recipients(desk.receive(2, callOf({ term: 4, nonce: 'b3' })))).toHaveLength(2)
  })

  test('is dropped while too many are open, and taken again when they are closed', () => {
    const desk = new Desk()
    for (const nonce of ['1', '2', '3', '4']) expect(recipients(desk.receive(0, callOf({ nonce })))).toHaveLength(2)
    expect(desk.receive(0, callOf({ nonce: '5' }))).toEqual(DROPPED)
    desk.flowsBack(rollCallMs)
    expect(recipients(desk.receive(rollCallMs, callOf({ nonce: '6' })))).toHaveLength(2)
  })
})

describe('a question about nobody', () => {
  test('is in no hurry: it goes back one way', () => {
    const desk = new Desk()
    desk.receive(0, callOf({ subjects: [] }))
    desk.receive(1, callOf({ subjects: [] }), THIRD)
    expect([...desk.flowsBack(2).keys()]).toEqual([PARENT])
  })
})

describe('a canvass', () => {
  const canvass = callOf({ leader: SECOND_LEADER, term: 4, nonce: 'c1', subjects: [], canvass: true })

  test('is answered and passed on, and the way to the leader and its term stay what they are', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    const { leader } = desk
    expect(recipients(desk.receive(1, canvass, SECOND))).toEqual([PARENT, THIRD])
    expect([...desk.flowsBack(1).keys()]).toContain(SECOND)
    expect([desk.uplinks, desk.term, desk.leader]).toEqual([[PARENT], 3, leader])
  })

  test('is the end of every earlier term, also if its leader asks again', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.receive(1, canvass, SECOND)
    expect(desk.receive(2, callOf({ nonce: 'b2' }))).toEqual(DROPPED)
    desk.receive(3, callOf({ leader: SECOND_LEADER, term: 4, nonce: 'c2' }), SECOND)
    expect([desk.uplinks, desk.term]).toEqual([[SECOND], 4])
  })
})

describe('a leader of an earlier term', () => {
  test('is shown the later one when it asks itself, and another leader of the same term is another leader', () => {
    const desk = new Desk()
    const later = callOf({ leader: SECOND_LEADER, term: 4, nonce: 'c1' })
    desk.receive(0, later, SECOND)
    const stale = desk.receive(1, callOf({ nonce: 'b2' }), LEADER)
    expect(stale.filter(({ kind }) => kind === 'send')).toMatchObject([{ to: LEADER, message: { call: later } }])
    const before = desk.leader
    desk.receive(2, callOf({ term: 4, nonce: 'b3' }))
    expect(desk.leader).not.toBe(before)
  })
})

test('a question also goes to aggregators that stand by, over their own edges', () => {
  const desk = new Desk()
  for (const aggregator of [LEADER, SECOND_LEADER]) desk.links.opened(aggregator, 'them')
  expect(recipients(desk.receive(0, callOf()))).toEqual([SECOND, THIRD, SECOND_LEADER])
})

describe('the way to the leader', () => {
  test('is whoever brought the latest question, in order, four at most', () => {
    const desk = new Desk()
    expect([desk.uplinks, desk.term]).toEqual([[], 0])
    const peers = [PARENT, SECOND, THIRD, nodeName(4), nodeName(5)]
    for (const peer of [...peers, PARENT]) desk.receive(0, callOf(), peer)
    expect([desk.uplinks, desk.term]).toEqual([peers.slice(0, 4), 3])
    desk.receive(1, callOf({ nonce: 'b2' }), THIRD)
    expect(desk.uplinks).toEqual([THIRD])
  })

  test('is not told by a question that is dropped', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.receive(1, callOf({ nonce: 'b2', leader: PARENT }), SECOND)
    expect([desk.uplinks, desk.term]).toEqual([[PARENT], 3])
  })
})

test('what was asked on the roster before is over when a later one is in force', () => {
  const desk = new Desk()
  desk.receive(0, callOf())
  desk.advanced()
  expect(desk.flowsBack(0).size).toBe(0)
  expect(desk.receive(1, callOf(), SECOND)).toEqual([])
})

describe('an answer', () => {
  test("is signed over the question and flows back at once, with this member's presence", () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    const message = desk.flowsBack(0).get(PARENT)
    expect(message?.answers).toEqual([answerOf(ME)])
    expect(message && hasMember(message.present, MY_INDEX)).toBe(true)
  })

  test('follows as soon as the observer can say, while the roll-call is open', () => {
    const desk = new Desk()
    desk.own = undefined
    desk.receive(0, callOf())
    expect(desk.flowsBack(0).get(PARENT)?.answers).toEqual([])
    desk.own = SILENT
    expect(desk.flowsBack(150).get(PARENT)?.answers).toEqual([answerOf(ME)])
    expect(desk.flowsBack(200).size).toBe(0)
  })

  test('is not given when the observer can say only after the roll-call is closed', () => {
    const desk = new Desk()
    desk.own = undefined
    desk.receive(0, callOf())
    desk.flowsBack(0)
    desk.own = SILENT
    expect(desk.flowsBack(rollCallMs).size).toBe(0)
    expect(desk.flowsBack(rollCallMs + 50).size).toBe(0)
  })

  test('is given by observers of the subject only; the others are merely present', () => {
    const stranger = roster.members.map(({ node }) => node).find((node) => node !== ME && node !== SUBJECT) ?? ''
    const desk = new Desk()
    desk.receive(0, callOf({ subjects: [{ node: stranger, incarnation: FIRST_LIFE }] }))
    expect(desk.flowsBack(0).get(PARENT)?.answers).toEqual([])
  })
})

describe('answers of others', () => {
  test('are passed back in batches, to the first two who brought the question', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.receive(1, callOf(), SECOND)
    desk.receive(2, callOf(), THIRD)
    desk.flowsBack(2)
    const answers = OTHERS.slice(0, 2).map((voter) => answerOf(voter))
    desk.relay(10, answers.slice(0, 1))
    desk.relay(15, answers)
    expect(desk.flowsBack(15).size).toBe(0)
    expect(desk.nextAt(15)).toBe(10 + rollCallBatchMs)
    const back = desk.flowsBack(10 + rollCallBatchMs)
    expect([...back.keys()]).toEqual([PARENT, SECOND])
    for (const message of back.values()) expect(message.answers).toEqual(answers)
  })

  test('are passed back once, however often they come', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.flowsBack(0)
    const [voter = ''] = OTHERS
    desk.relay(10, [answerOf(voter)])
    expect(desk.flowsBack(50).get(PARENT)?.answers).toHaveLength(1)
    desk.relay(60, [answerOf(voter)])
    expect(desk.flowsBack(100).size).toBe(0)
  })

  test('forged by a liar on the way do not take the place of the true ones', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.flowsBack(0)
    const truth = OTHERS.map((voter) => answerOf(voter))
    desk.relay(
      10,
      truth.map((signed) => ({ ...signed, signature: new Uint8Array(64) })),
    )
    desk.relay(20, truth)
    expect(desk.flowsBack(60).get(PARENT)?.answers).toEqual(expect.arrayContaining(truth))
  })

  test('that nobody could have been asked for are not passed on, so that a liar cannot crowd out the rest', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.flowsBack(0)
    const stranger =
      roster.members.map(({ node }) => node).find((node) => ![ME, SUBJECT, ...OTHERS].includes(node)) ?? ''
    const invented = Array.from({ length: 2_000 }, (_, index) => answerOf(`nobody-${index}`))
    const [observerOfMe = ''] = ringOf(roster).observersOf(ME)
    desk.relay(10, [...invented, answerOf(stranger), answerOf(observerOfMe, { subject: ME })])
    desk.relay(20, [answerOf(OTHERS[1] ?? '')])
    expect(desk.flowsBack(60).get(PARENT)?.answers).toEqual([answerOf(OTHERS[1] ?? '')])
  })

  test('to a question that is unknown here are dropped', () => {
    const desk = new Desk()
    desk.relay(0, [answerOf(OTHERS[0] ?? '')])
    expect(desk.flowsBack(50).size).toBe(0)
  })
})

test('presence is the union of all that is heard, and a peer cannot make it grow', () => {
  const desk = new Desk()
  desk.receive(0, callOf())
  desk.flowsBack(0)
  const everywhere = new Uint8Array(8_192).fill(255)
  desk.relay(10, [], withMember(emptyPresence(20), 7))
  desk.relay(11, [], everywhere.slice(0, 1))
  const { present = new Uint8Array() } = desk.flowsBack(50).get(PARENT) ?? {}
  expect([...Array.from({ length: 20 }).keys()].filter((index) => hasMember(present, index))).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7,
  ])
  desk.relay(60, [], everywhere)
  expect(desk.flowsBack(100).get(PARENT)?.present).toHaveLength(emptyPresence(20).length)
})

describe('members that hold themselves unfit', () => {
  const unfit = (desk: Desk, ms: number) => {
    const { degraded = NOBODY } = desk.flowsBack(ms).get(PARENT) ?? {}
    return Array.from({ length: 20 }, (_, index) => index).filter((index) => hasMember(degraded, index))
  }

  test('say so with their presence, and nobody else does', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    expect(desk.flowsBack(0).get(PARENT)?.degraded).toEqual(NOBODY)
    const strained = new Desk()
    strained.isDegraded = true
    strained.receive(0, callOf())
    expect(unfit(strained, 0)).toEqual([MY_INDEX])
  })

  test('are told of on the way back, as the union of all that is heard', () => {
    const desk = new Desk()
    desk.receive(0, callOf())
    desk.flowsBack(0)
    desk.relay(10, [], withMember(emptyPresence(20), 1), withMember(emptyPresence(20), 7))
    desk.relay(11, [], withMember(emptyPresence(20), 2), NOBODY)
    desk.relay(12, [], withMember(emptyPresence(20), 3), withMember(emptyPresence(20), 9))
    expect(unfit(desk, 50)).toEqual([7, 9])
  })
})
