/** Observers that contradict each other: links at fault, an observer at fault, and for how long. */
import { describe, expect, test } from 'vitest'
import { Disputes } from '../../mesh/core/disputes.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Notice } from '../../mesh/core/message.ts'
import type { Answer } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { World } from '../../mesh/sim/world.ts'
import { FIRST_LIFE, nodeName, sampleRoster } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const ring = ringOf(roster)
const [A, B, C] = [nodeName(4), nodeName(5), nodeName(6)]
const OPEN_MS = 300_000

type View = Pick<Answer, 'opinion' | 'channel'>
const HEARS: View = { opinion: 'Alive', channel: 'unknown' }
const HOST_ANSWERS: View = { opinion: 'AgentDown', channel: 'userland' }
const MUTE: View = { opinion: 'HostHung', channel: 'mute' }
const NOTHING: View = { opinion: 'NodeDown', channel: 'nothing' }
const LOSSY: View = { opinion: 'LinkFault', channel: 'lossy' }
const UNSURE: View = { opinion: 'Abstain', channel: 'unknown' }

function says(voter: string, subject: string, view: View): Answer {
  const question = { nonce: 'a1', epoch: roster.epoch, voterSerial: 1, incarnation: FIRST_LIFE }
  return { ...question, voter, subject, ...view, forMs: 1_000, reason: '' }
}

/** The first observers of the subject answer like this, one after the other. */
function answers(subject: string, ...views: readonly View[]): readonly Answer[] {
  return views.map((view, index) => says(ring.observersOf(subject)[index] ?? '', subject, view))
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value)
}

/** One observer alone sees nothing of the subject, the rest hear it. */
function onlyOneMisses(loner: string, subject: string): readonly Answer[] {
  return ring.observersOf(subject).map((voter) => says(voter, subject, voter === loner ? NOTHING : HEARS))
}

const disputes = () => new Disputes(new Membership(roster))

const APART_MS = 3_000

/** Asked twice, far enough apart that a start of the subject is over: what the second time says, and when it is. */
function twice(mine: Disputes, subject: string, views: readonly Answer[]): readonly Notice[] {
  expect(mine.answered(-APART_MS, subject, views).filter(({ kind }) => kind === 'linkFault')).toEqual([])
  return mine.answered(0, subject, views)
}

describe('links are at fault', () => {
  test.each([
    { hear: 3, miss: 3, isFault: true },
    { hear: 2, miss: 8, isFault: false },
    { hear: 8, miss: 2, isFault: false },
    { hear: 7, miss: 3, isFault: true },
    { hear: 10, miss: 0, isFault: false },
  ])('when $hear of ten hear a node and $miss see nothing: $isFault', ({ hear, miss, isFault }) => {
    const mine = disputes()
    const notices = twice(mine, A, answers(A, ...times(hear, HEARS), ...times(miss, NOTHING)))
    expect(notices.filter(({ kind }) => kind === 'linkFault')).toHaveLength(isFault ? 1 : 0)
    expect(mine.hasLinkFault(A)).toBe(isFault)
  })

  test('when the host answers some, though its agent does not; but not for those who cannot say', () => {
    const views = [HOST_ANSWERS, MUTE, HEARS, ...times(3, NOTHING)]
    expect(twice(disputes(), A, answers(A, ...views))).toMatchObject([{ kind: 'linkFault', open: true }])
    expect(twice(disputes(), A, answers(A, HEARS, HEARS, UNSURE, UNSURE, ...times(3, NOTHING)))).toEqual([])
  })

  test.each([
    { lossy: 3, isFault: true },
    { lossy: 2, isFault: false },
  ])('when $lossy get lost packets through now and then, which is life and silence at once: $isFault', (given) => {
    const views = answers(A, ...times(given.lossy, LOSSY), ...times(10 - given.lossy, UNSURE))
    const [mine, notices] = [disputes(), twice(disputes(), A, views)]
    expect(notices.filter(({ kind }) => kind === 'linkFault')).toHaveLength(given.isFault ? 1 : 0)
    // Beside others that hear it well, or see nothing, they make up either side.
    const views2 = answers(A, ...times(given.lossy, LOSSY), ...times(5, given.isFault ? HEARS : UNSURE))
    expect(twice(mine, A, views2).some(({ kind }) => kind === 'linkFault')).toBe(given.isFault)
  })

  test.each([
    { apartMs: 2_999, isFault: false },
    { apartMs: 3_000, isFault: true },
    { apartMs: 60_000, isFault: true },
    { apartMs: 60_001, isFault: false },
  ])('when two roll-calls say so that are $apartMs ms apart: $isFault', ({ apartMs, isFault }) => {
    const mine = disputes()
    const split = answers(A, ...times(5, HEARS), ...times(5, NOTHING))
    expect(mine.answered(0, A, split)).toEqual([])
    expect(mine.answered(apartMs, A, split)).toHaveLength(isFault ? 1 : 0)
  })

  test('when they say so again after too long a time, counted from then on', () => {
    const mine = disputes()
    const split = answers(A, ...times(5, HEARS), ...times(5, NOTHING))
    for (const ms of [0, 60_001]) expect(mine.answered(ms, A, split)).toEqual([])
    expect(mine.answered(63_001, A, split)).toHaveLength(1)
  })

  test('until five minutes have passed without a further sign, as one incident', () => {
    const mine = disputes()
    const split = answers(A, ...times(5, HEARS), ...times(5, NOTHING))
    expect(twice(mine, A, split)).toHaveLength(1)
    expect(mine.answered(200_000, A, split)).toEqual([])
    expect(mine.expire(200_000 + OPEN_MS - 1)).toEqual([])
    expect(mine.nextAt(200_000)).toBe(200_000 + OPEN_MS)
    expect(mine.expire(200_000 + OPEN_MS)).toMatchObject([{ kind: 'linkFault', subject: A, open: false }])
    expect(mine.linkFaults).toEqual([])
  })

  test('when a node came back twice within ten minutes as the very life that was convicted', () => {
    const mine = disputes()
    expect(mine.cameBackAsItWas(0, A)).toEqual([])
    expect(mine.cameBackAsItWas(599_999, A)).toMatchObject([{ kind: 'linkFault', subject: A, open: true }])
    const rare = disputes()
    rare.cameBackAsItWas(0, A)
    expect(rare.cameBackAsItWas(600_000, A)).toEqual([])
  })
})

describe('an observer is at fault', () => {
  const [loner = ''] = ring.observersOf(A)
  const [, other = ''] = ring.subjectsOf(loner).filter((subject) => subject !== A)

  test('when it alone sees nothing of two subjects within a minute, not of one twice', () => {
    const mine = disputes()
    expect(mine.answered(0, A, onlyOneMisses(loner, A))).toEqual([])
    expect(mine.answered(10_000, A, onlyOneMisses(loner, A))).toEqual([])
    expect(mine.answered(20_000, other, onlyOneMisses(loner, other))).toMatchObject([
      { kind: 'observerFault', subject: loner, open: true },
    ])
    expect(mine.hasObserverFault(loner)).toBe(true)
    expect(mine.expire(20_000 + OPEN_MS)).toMatchObject([{ kind: 'observerFault', subject: loner, open: false }])
  })

  test('only if both come within a minute', () => {
    const mine = disputes()
    mine.answered(0, A, onlyOneMisses(loner, A))
    expect(mine.answered(60_000, other, onlyOneMisses(loner, other))).toEqual([])
  })

  test('not when another one sees nothing, either, or when the links of the subject are known to be at fault', () => {
    const mine = disputes()
    mine.answered(0, A, onlyOneMisses(loner, A))
    const second = ring.observersOf(other).find((node) => node !== loner) ?? ''
    const two = onlyOneMisses(loner, other).map((one) => (one.voter === second ? { ...one, ...NOTHING } : one))
    expect(mine.answered(1_000, other, two)).toEqual([])
    twice(mine, other, answers(other, ...times(5, HEARS), ...times(5, NOTHING)))
    expect(mine.answered(3_000, other, onlyOneMisses(loner, other))).toEqual([])
    expect(mine.observerFaults).toEqual([])
  })
})

test('a node that dies and starts again is in no dispute, though some hear it before others', () => {
  const world = new World({ nodes: 20, zones: 3, seed: 5 })
  world.stage.agenda.runUntil(8_000)
  world.stage.setHost('node-7', 'down')
  world.stage.agenda.runUntil(16_000)
  world.stage.setHost('node-7', 'up')
  world.stage.agenda.runUntil(40_000)
  const kinds = world.records.map((record) => (record.kind === 'notice' ? record.notice.kind : record.kind))
  expect(kinds).toEqual(expect.arrayContaining(['commit', 'recovered']))
  expect(kinds).not.toContain('linkFault')
})

test('whom to ask about takes turns, eight at a time, the disputed ones included', () => {
  const mine = disputes()
  twice(mine, C, answers(C, ...times(5, HEARS), ...times(5, NOTHING)))
  const suspected = [A, B, ...[7, 8, 9, 10, 11, 12, 13, 14].map(nodeName)]
  const asked = [mine.toAsk(suspected), mine.toAsk(suspected)]
  for (const turn of asked) expect(turn).toHaveLength(8)
  expect(new Set(asked.flat())).toEqual(new Set([...suspected, C]))
  expect(disputes().toAsk([])).toEqual([])
})

test('what observers last answered is kept, one view each, and nothing asked changes nothing', () => {
  const mine = disputes()
  mine.answered(0, A, answers(A, HEARS, NOTHING))
  mine.answered(5_000, A, [])
  const [first, second] = ring.observersOf(A)
  expect(mine.sightsOf(A)).toEqual([
    { observer: first, subject: A, ...HEARS, atMs: 0 },
    { observer: second, subject: A, ...NOTHING, atMs: 0 },
  ])
})
