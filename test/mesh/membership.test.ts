/** Who is enrolled and who may say what, on the roster in force. */
import { describe, expect, test } from 'vitest'
import { Membership } from '../../mesh/core/membership.ts'
import type { StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { FIRST_LIFE, LEADER, nodeName, rosterOf, sampleMember, sampleRoster } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const ME = nodeName(0)
const [SUBJECT = ''] = ringOf(roster).subjectsOf(ME)
const STRANGER = roster.members.map(({ node }) => node).find((node) => !ringOf(roster).subjectsOf(ME).includes(node))

const accusation = (subject: string, epoch = roster.epoch): StatementBody => {
  const silent = { opinion: 'NodeDown', channel: 'nothing', silentMs: 1 } as const
  return { kind: 'accusation', subject, incarnation: FIRST_LIFE, epoch, term: 1, ...silent }
}
const announcement = (serial: number): StatementBody => {
  return { kind: 'announcement', incarnation: { ...FIRST_LIFE, serial } }
}
const leave = (serial: number): StatementBody => {
  return { kind: 'leave', incarnation: { ...FIRST_LIFE, serial }, reason: 'update', forMs: 1 }
}
const about = { subject: SUBJECT, incarnation: FIRST_LIFE, latest: FIRST_LIFE }
const down: StatementBody = {
  ...{ kind: 'down', verdict: 'NodeDown', verdictId: 'v', standing: true, recoverBeats: 3, heard: false },
  ...about,
}
const note: StatementBody = { kind: 'note', topic: 'a', bytes: new Uint8Array(0) }

describe('who may say what', () => {
  test.each<{ what: string; signer: string; body: StatementBody; may: boolean }>([
    { what: 'an observer accuses its subject', signer: ME, body: accusation(SUBJECT), may: true },
    { what: 'an observer accuses another', signer: ME, body: accusation(STRANGER ?? ''), may: false },
    { what: 'on another epoch', signer: ME, body: accusation(SUBJECT, roster.epoch + 1), may: false },
    { what: 'an aggregator accuses', signer: LEADER, body: accusation(SUBJECT), may: false },
    { what: 'a member announces its own enrolment', signer: ME, body: announcement(1), may: true },
    { what: 'a member announces another', signer: ME, body: announcement(2), may: false },
    { what: 'an aggregator announces', signer: LEADER, body: announcement(1), may: false },
    { what: 'a member leaves', signer: ME, body: leave(1), may: true },
    { what: 'a member leaves in another enrolment', signer: ME, body: leave(2), may: false },
    { what: 'an aggregator leaves', signer: LEADER, body: leave(1), may: false },
    { what: 'an aggregator says who is down', signer: LEADER, body: down, may: true },
    { what: 'a member says who is down', signer: ME, body: down, may: false },
    { what: 'anybody notes', signer: ME, body: note, may: true },
  ])('$what: $may', ({ signer, body, may }) => {
    expect(new Membership(roster).mayState(signer, body)).toBe(may)
  })
})

test('positions, serials and zones are those of the roster; an aggregator has no bit in a roll-call', () => {
  const membership = new Membership(roster)
  expect([ME, nodeName(19), LEADER, 'nobody'].map((node) => membership.positionOf(node))).toEqual([
    0,
    19,
    undefined,
    undefined,
  ])
  expect([ME, LEADER, 'nobody'].map((node) => membership.serialOf(node))).toEqual([1, 1, undefined])
  expect([LEADER, ME].map((node) => membership.isAggregator(node))).toEqual([true, false])
  expect([...membership.zones.values()].map((nodes) => nodes.length)).toEqual([7, 7, 6])
})

test('a later roster replaces all of it: members, epoch, ring and zones', () => {
  const membership = new Membership(roster)
  const members = [...roster.members.slice(1), sampleMember('node-9999', 'zone-9', { serial: 4 })]
  const later = { ...rosterOf(members, 'other seed'), epoch: roster.epoch + 1 }
  membership.advance(later)
  expect([membership.serialOf(ME), membership.positionOf(ME)]).toEqual([undefined, undefined])
  expect([membership.serialOf('node-9999'), membership.positionOf('node-9999')]).toEqual([4, 19])
  expect(membership.zones.get('zone-9')).toEqual(['node-9999'])
  expect(membership.ring).toBe(ringOf(later))
  expect([...membership.observersOf('node-9999').keys()]).toHaveLength(10)
  expect(membership.mayState(ME, announcement(1))).toBe(false)
  const [subject = ''] = ringOf(later).subjectsOf(nodeName(5))
  expect(membership.mayState(nodeName(5), accusation(subject, later.epoch))).toBe(true)
  expect(membership.mayState(nodeName(5), accusation(subject, roster.epoch))).toBe(false)
})
