/** A member's part in a roll-call: passing on the question, answering it, and passing back what others answer. */
import { describe, expect, test } from 'vitest'
import { emptyPresence, hasMember, withMember } from '../../mesh/core/presence.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import {
  answerOf,
  callOf,
  Desk,
  ME,
  MY_INDEX,
  NOBODY,
  OTHERS,
  PARENT,
  recipients,
  rollCallBatchMs,
  rollCallMs,
  roster,
  SECOND,
  SILENT,
  SUBJECT,
  THIRD,
} from './desk.ts'
import { FIRST_LIFE, nodeName } from './sample-mesh.ts'

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
