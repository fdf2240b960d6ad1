/** Who sees whom, from what a real leader holds. */
import { beforeEach, expect, it } from 'vitest'
import { Fleet } from '../../aggregator/fleet.ts'
import { matrixRows } from '../../aggregator/snapshot.ts'
import type { Leader } from '../../mesh/core/leader.ts'
import type { Accusation, Answer } from '../../mesh/core/model.ts'
import { encodeWatching, WATCHING_TOPIC } from '../../mesh/wire/watching.ts'
import { accusation, LIFE, NODES, newLeader, roster } from './leader-of-five.ts'

let leader: Leader
let fleet: Fleet
let nowMs: number

beforeEach(() => {
  leader = newLeader()
  fleet = new Fleet()
  nowMs = 100_000
})

const accuse = (voter: string, opinion: Accusation['opinion'], channel: Accusation['channel'], atMs = nowMs) =>
  leader.accused(atMs, voter, accusation('a', opinion, channel))
const answer = (voter: string, opinion: Answer['opinion'], channel: Answer['channel']): Answer => ({
  nonce: 'n',
  epoch: 1,
  voter,
  voterSerial: 1,
  subject: 'a',
  incarnation: LIFE,
  opinion,
  channel,
  forMs: 0,
  reason: '',
})
const watch = (signer: string, ...subjects: readonly string[]) => {
  const body = { kind: 'note', topic: WATCHING_TOPIC, bytes: encodeWatching(subjects) } as const
  const statement = { signer, serial: 1, boot: 1, seq: 1, ttlMs: 1_000, body }
  fleet.hear(nowMs, { statement, signature: new Uint8Array() })
}
const rowOf = (node: string) => {
  const row = matrixRows({ roster, leader, fleet, nowMs }).find(({ subject }) => subject === node)
  if (row === undefined) throw new Error(`no row of ${node}`)
  return row
}
const seen = (node: string) =>
  rowOf(node).sights.map(({ observer, sees, channel, ageMs, from }) => [observer, sees, channel, ageMs, from])

it('knows nothing before anybody says anything, and calls that no dispute', () => {
  expect(seen('a')).toEqual(['b', 'c', 'd', 'e'].map((node) => [node, 'unknown', 'unknown', null, 'none']))
  expect(rowOf('a')).toMatchObject({ state: 'unseen', disputed: false, flags: [] })
})

it('takes the newest of what each observer has said', () => {
  for (const node of NODES) watch(node, 'a')
  accuse('b', 'NodeDown', 'nothing', nowMs)
  leader.disputes.answered(nowMs + 1_000, 'a', [
    answer('b', 'Alive', 'unknown'),
    answer('c', 'Abstain', 'unknown'),
    answer('e', 'Alive', 'unknown'),
  ])
  accuse('e', 'AgentDown', 'userland', nowMs + 2_000)
  nowMs += 3_000
  expect(seen('a')).toEqual([
    ['b', 'hears', 'unknown', 2_000, 'roll-call'],
    ['c', 'abstains', 'unknown', 2_000, 'roll-call'],
    ['d', 'hears', 'unknown', 3_000, 'watching'],
    ['e', 'host-answers', 'userland', 1_000, 'statement'],
  ])
  expect(rowOf('a').disputed).toBe(true)
  expect(rowOf('b').disputed).toBe(false)
})

it('tells silence with a dead host from silence with one that says nothing clear', () => {
  accuse('b', 'NodeDown', 'nothing')
  accuse('c', 'HostHung', 'mute')
  accuse('d', 'HostHung', 'unknown')
  accuse('e', 'AgentDown', 'refused')
  expect(rowOf('a').sights.map(({ sees }) => sees)).toEqual(['nothing', 'silent', 'silent', 'host-answers'])
})

it('lets an old answer pass, but not the one that convicted', () => {
  for (const each of ['b', 'c', 'd', 'e']) watch(each, 'a')
  const silent = ['b', 'c', 'd'].map((node) => answer(node, 'NodeDown', 'nothing'))
  leader.disputes.answered(nowMs, 'a', silent)
  nowMs += 60_000
  expect(rowOf('a').sights.map(({ sees }) => sees)).toEqual(['hears', 'hears', 'hears', 'hears'])

  leader = newLeader([{ verdictId: 'v', kind: 'NodeDown', subject: 'a', incarnation: LIFE }])
  leader.disputes.answered(nowMs, 'a', silent)
  nowMs += 60_000
  expect(rowOf('a').sights.map(({ sees }) => sees)).toEqual(['nothing', 'nothing', 'nothing', 'unknown'])
  // What it said before it went down tells nothing of now.
  watch('a', 'b')
  expect(rowOf('b').sights.find(({ observer }) => observer === 'a')?.sees).toBe('unknown')
})

it('shows bad links beside the state, and who has left', () => {
  const split = [
    answer('b', 'Alive', 'unknown'),
    answer('c', 'Alive', 'unknown'),
    answer('d', 'NodeDown', 'nothing'),
    answer('e', 'NodeDown', 'nothing'),
  ]
  leader.disputes.answered(nowMs - 5_000, 'a', split)
  leader.disputes.answered(nowMs, 'a', split)
  nowMs += 60_000
  expect(rowOf('a')).toMatchObject({ flags: ['LinkFault'], disputed: true })
  leader.left(nowMs, 'b', { kind: 'leave', incarnation: LIFE, reason: 'stopped', forMs: 120_000 })
  expect(rowOf('b').state).toBe('left')
})

it('does not take it that a node that has left is heard, because it was watched', () => {
  for (const each of ['a', 'b', 'c']) watch(each, 'd', 'e')
  leader.left(nowMs, 'd', { kind: 'leave', incarnation: LIFE, reason: 'stopped', forMs: 120_000 })
  expect(new Set(rowOf('d').sights.map(({ sees }) => sees))).toEqual(new Set(['unknown']))
  expect(rowOf('e').sights.map(({ sees }) => sees)).toEqual(['hears', 'hears', 'hears', 'unknown'])
})

it('does not take the silence of an observer that is missed itself for its word that all is well', () => {
  for (const each of ['a', 'b', 'c']) watch(each, 'd')
  expect(seen('d')[0]?.slice(0, 2)).toEqual(['a', 'hears'])
  accuse('b', 'NodeDown', 'nothing')
  leader.tick(nowMs, [])
  expect(rowOf('a').state).toBe('suspected')
  expect(seen('d').map(([observer, sees]) => [observer, sees])).toEqual([
    ['a', 'unknown'],
    ['b', 'hears'],
    ['c', 'hears'],
    ['e', 'unknown'],
  ])
})

it('forgets soon that an observer missed it, unless that is still said', () => {
  for (const each of ['b', 'c', 'd', 'e']) watch(each, 'a')
  leader.disputes.answered(nowMs, 'a', [answer('b', 'NodeDown', 'nothing'), answer('c', 'Alive', 'unknown')])
  accuse('d', 'NodeDown', 'nothing')
  expect(rowOf('a').sights.map(({ sees }) => sees)).toEqual(['nothing', 'hears', 'nothing', 'hears'])
  nowMs += 10_000
  expect(seen('a').map(([, sees, , , from]) => [sees, from])).toEqual([
    ['hears', 'watching'],
    ['hears', 'roll-call'],
    ['nothing', 'statement'],
    ['hears', 'watching'],
  ])
})
