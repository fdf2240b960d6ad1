/** Several aggregators call the roll: whom a member follows, and who only asks. */
import { describe, expect, test } from 'vitest'
import { callOf, Desk, PARENT, recipients, SECOND, SECOND_LEADER, THIRD } from './desk.ts'
import { LEADER } from './sample-mesh.ts'

const DROPPED = [{ kind: 'dropped', why: 'roll-call', from: PARENT }]

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
