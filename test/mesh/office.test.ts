/** An aggregator that stands by, asks whom it would reach, leads, and stands by again. */
import { describe, expect, test } from 'vitest'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect, Input } from '../../mesh/core/message.ts'
import type { Keyring, SignedRollCall, Standing } from '../../mesh/core/model.ts'
import { Office } from '../../mesh/core/office.ts'
import { emptyPresence, withMember } from '../../mesh/core/presence.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleMember, sampleRoster, standInKeyring } from './sample-mesh.ts'

const OTHER_LEADER = 'aggregator-2'
const sample = sampleRoster({ nodes: 20 })
const roster = { ...sample, aggregators: [...sample.aggregators, sampleMember(OTHER_LEADER, '')] }
const PEERS = [nodeName(1), nodeName(2)]
const { rollCallMs } = DEFAULT_TIMING
const VERDICT: Standing = { verdictId: 'v', kind: 'NodeDown', subject: nodeName(4), incarnation: FIRST_LIFE }

function officeOf(down: readonly Standing[] = [], keyring: Keyring = standInKeyring(LEADER)): Office {
  let nonces = 0xa0
  const notices = down.map(({ kind: verdict, ...rest }) => {
    return {
      kind: 'down',
      ...rest,
      verdict,
      standing: true,
      latest: FIRST_LIFE,
      recoverBeats: 3,
      heard: false,
    } as const
  })
  return new Office({
    node: LEADER,
    membership: new Membership(roster),
    keyring,
    timing: DEFAULT_TIMING,
    rosterHash: 'ab'.repeat(32),
    heartbeats: false,
    nonce: () => (nonces++).toString(16),
    heard: { downNotices: () => notices, leaves: () => [] },
  })
}

const take = (office: Office, ms: number, input: Extract<Input, { kind: 'canvass' | 'lead' | 'standBy' }>) =>
  office.take(ms, input, PEERS)

function callIn(effects: readonly Effect[]): SignedRollCall {
  const call = effects.flatMap((effect) => {
    return effect.kind === 'send' && effect.message.kind === 'roll-call' ? [effect.message.call] : []
  })[0]
  if (call === undefined) throw new Error('nobody was asked')
  return call
}

function answer(office: Office, nonce: string, members: number): void {
  let present = emptyPresence(roster.members.length)
  for (let index = 0; index < members; index++) present = withMember(present, index)
  office.answered({ kind: 'answers', nonce, present, degraded: new Uint8Array(0), answers: [] })
}

function callBy(leader: string, term: number): SignedRollCall {
  const rollCall = { leader, epoch: roster.epoch, term, nonce: 'ff', subjects: [] }
  return { rollCall, signature: standInKeyring(leader).sign('roll-call', rollCall) }
}

describe('a canvass', () => {
  test('asks everybody in reach under its term, about nobody, and is no leadership', () => {
    const office = officeOf()
    const effects = take(office, 0, { kind: 'canvass', term: 7 })
    expect(effects.map((effect) => effect.kind === 'send' && effect.to)).toEqual(PEERS)
    expect(callIn(effects).rollCall).toMatchObject({ leader: LEADER, term: 7, subjects: [], canvass: true })
    expect(office.leader).toBeUndefined()
  })

  test.each([
    { present: 11, endsAt: 10, holds: true },
    { present: 10, endsAt: rollCallMs, holds: false },
  ])('that $present of 20 answer ends at $endsAt ms, holds: $holds', ({ present, endsAt, holds }) => {
    const office = officeOf()
    const { nonce } = callIn(take(office, 0, { kind: 'canvass', term: 7 })).rollCall
    answer(office, nonce, present)
    expect(office.tick(endsAt - 1, PEERS).effects).toHaveLength(holds ? 1 : 0)
    const again = holds ? [] : office.tick(endsAt, PEERS).effects
    if (!holds) expect(again).toEqual([{ kind: 'reach', term: 7, present, live: 20, holds }])
  })

  test('does not count members under a verdict that the mesh has heard of', () => {
    const office = officeOf([VERDICT])
    const { nonce } = callIn(take(office, 0, { kind: 'canvass', term: 7 })).rollCall
    // The fifth of them is the one that is down.
    answer(office, nonce, 11)
    expect(office.tick(1, PEERS).effects).toEqual([{ kind: 'reach', term: 7, present: 10, live: 19, holds: true }])
  })
})

describe('a leader', () => {
  test('begins with the verdicts on record and those that the mesh has heard of, and calls the roll at once', () => {
    const office = officeOf([VERDICT])
    const recorded = { ...VERDICT, verdictId: 'w', subject: nodeName(5) }
    take(office, 0, { kind: 'lead', term: 8, standing: [recorded] })
    expect([...(office.leader?.conditions.standing.keys() ?? [])].toSorted()).toEqual([nodeName(4), nodeName(5)])
    const { effects, notices } = office.tick(0, PEERS)
    expect(callIn(effects).rollCall.canvass).toBeUndefined()
    expect(notices).toHaveLength(2)
  })

  test('that stands by asks and says nothing more', () => {
    const office = officeOf()
    take(office, 0, { kind: 'lead', term: 8, standing: [] })
    office.tick(0, PEERS)
    take(office, 10, { kind: 'standBy' })
    expect(office.leader).toBeUndefined()
    expect(office.tick(60_000, PEERS)).toEqual({ effects: [], notices: [] })
    expect(office.nextAt(60_000)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('a roll-call of another aggregator', () => {
  test('is told of once, if its term is later than any before', () => {
    const office = officeOf()
    take(office, 0, { kind: 'lead', term: 8, standing: [] })
    expect(office.called('x', callBy(OTHER_LEADER, 8))).toEqual([])
    expect(office.called('x', callBy(OTHER_LEADER, 9))).toEqual([{ kind: 'called', by: OTHER_LEADER, term: 9 }])
    expect(office.called('x', callBy(OTHER_LEADER, 9))).toEqual([])
  })

  test('is dropped when no aggregator signed it', () => {
    const forged = { ...callBy(OTHER_LEADER, 9), signature: callBy(OTHER_LEADER, 10).signature }
    const dropped = [{ kind: 'dropped', why: 'roll-call', from: 'x' }]
    expect(officeOf().called('x', forged)).toEqual(dropped)
    expect(officeOf().called('x', callBy(nodeName(3), 9))).toEqual(dropped)
  })
})
