/** Members as they show, held against each worked out anew from what a real leader of twenty-five holds. */
import fc from 'fast-check'
import { beforeEach, expect, it } from 'vitest'
import { Fleet } from '../../aggregator/fleet.ts'
import { MemberViews } from '../../aggregator/member-views.ts'
import type { MarkView } from '../../aggregator/model.ts'
import { zonesOf } from '../../aggregator/sights.ts'
import { memberView } from '../../aggregator/snapshot.ts'
import { Leader } from '../../mesh/core/leader.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Opinion, Roster } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { encodeWatching, WATCHING_TOPIC } from '../../mesh/wire/watching.ts'
import { accusation, LIFE, roster as ofFive } from './leader-of-five.ts'

const MEMBERS = 25
const [ofA] = ofFive.members
if (ofA === undefined) throw new Error('a roster of nobody')
const members = Array.from({ length: MEMBERS }, (_, n) => ({ ...ofA, node: `n${n}`, zone: `z${n % 3}` }))
const roster: Roster = { ...ofFive, members }
const MARK: MarkView = { state: 'marked', mode: 'apply', effects: [], withheld: '', since: '' } as unknown as MarkView

let leader: Leader
let fleet: Fleet
let views: MemberViews
let marked: Set<string>
let nowMs: number

beforeEach(begin)

function begin(): void {
  const keyring = { sign: () => new Uint8Array(), verify: () => true }
  const rest = {
    heartbeats: false,
    rosterHash: '',
    nonce: () => 'nonce',
    keyring,
    timing: DEFAULT_TIMING,
    standing: [],
  }
  leader = new Leader(0, { ...rest, node: 'leader', term: 7, membership: new Membership(roster) })
  fleet = new Fleet()
  views = new MemberViews()
  marked = new Set()
  nowMs = 100_000
}

const marks = { of: (node: string) => (marked.has(node) ? MARK : undefined) }
const timeOf = (ms: number) => new Date(ms).toISOString()
const look = () => views.look({ roster, leader, fleet, marks, nowMs, now: timeOf(nowMs) })
const note = () => views.note({ roster, leader, fleet, now: timeOf(nowMs) })
const nodeOf = (n: number) => members[n % MEMBERS]?.node ?? ''
const hear = (signer: string, body: unknown) => {
  fleet.hear(nowMs, { statement: { signer, serial: 1, seq: 1, body }, signature: new Uint8Array() } as never)
}
const announce = (node: string, boot = 1) => hear(node, { kind: 'announcement', incarnation: { ...LIFE, boot } })
const watch = (node: string, count = Number.POSITIVE_INFINITY) => {
  const bytes = encodeWatching(ringOf(roster).subjectsOf(node).slice(0, count))
  hear(node, { kind: 'note', topic: WATCHING_TOPIC, bytes })
}

const OPINIONS: readonly Opinion[] = ['NodeDown', 'HostHung', 'AgentDown', 'LinkFault']
const step = fc.record({
  what: fc.constantFrom('announce', 'watch', 'accuse', 'accuse', 'answer', 'leave', 'mark', 'tick', 'wait'),
  n: fc.nat(MEMBERS - 1),
  m: fc.nat(9),
  looks: fc.boolean(),
})

function happen({ what, n, m }: { readonly what: string; readonly n: number; readonly m: number }): void {
  const node = nodeOf(n)
  const voter = ringOf(roster).observersOf(node)[m] ?? ''
  if (what === 'announce') announce(node, 1 + (m % 2))
  if (what === 'watch') watch(node, m)
  if (what === 'accuse') leader.accused(nowMs, voter, accusation(node, OPINIONS[m % 4] ?? 'NodeDown', 'nothing'))
  if (what === 'answer') {
    const answer = {
      nonce: 'n',
      epoch: 1,
      voter,
      voterSerial: 1,
      subject: node,
      incarnation: LIFE,
      forMs: 0,
      reason: '',
    }
    leader.disputes.answered(nowMs, node, [{ ...answer, opinion: 'NodeDown', channel: 'nothing' }])
  }
  if (what === 'leave') {
    leader.left(nowMs, node, { kind: 'leave', incarnation: { ...LIFE, boot: 1 + m }, reason: '', forMs: 5_000 })
  }
  if (what === 'mark' && !marked.delete(node)) marked.add(node)
  if (what === 'tick') leader.tick(nowMs, [])
  nowMs += what === 'wait' ? 4_000 : 10
}

it('shows at each look what holds then, whatever was shown before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      begin()
      for (const { node } of members) {
        announce(node)
        watch(node)
      }
      for (const one of steps) {
        happen(one)
        if (!one.looks) continue
        const zones = zonesOf(roster)
        for (const [index, view] of look().entries()) {
          const member = members[index] ?? ofA
          expect(view).toEqual(
            memberView(member, { roster, leader, fleet, marks, nowMs, since: () => view.since }, zones),
          )
        }
      }
    }),
    { numRuns: 60 },
  )
})

it('keeps what is said of a member of which there is nothing new', () => {
  for (const { node } of members) {
    announce(node)
    watch(node)
  }
  const before = look()
  nowMs += 1_000
  for (const { node } of members) watch(node)
  expect(look().every((view, index) => view === before[index])).toBe(true)
  announce('n3', 2)
  expect(look().filter((view, index) => view !== before[index])).toEqual([
    expect.objectContaining({ node: 'n3', incarnation: '1.2.0' }),
  ])
})

it('says of one that is silent the same a second later: each vote as it was cast', () => {
  for (const { node } of members) announce(node)
  const [voter = ''] = ringOf(roster).observersOf('n1')
  leader.accused(nowMs, voter, { ...accusation('n1', 'AgentDown', 'refused'), silentMs: 1_234 })
  const view = () => look().find(({ node }) => node === 'n1')
  const before = view()
  expect(before?.votes).toMatchObject([{ voter, forMs: 1_234 }])
  nowMs += 1_000
  expect(view()).toEqual(before)
})

it('dates a state from when something was seen to have changed, though nobody looked in between', () => {
  announce('n1')
  const since = () => look().find(({ node }) => node === 'n1')?.since
  expect(since()).toBe(timeOf(nowMs))
  const voter = ringOf(roster).observersOf('n1')[0] ?? ''
  leader.accused(nowMs, voter, accusation('n1', 'NodeDown', 'nothing'))
  leader.tick(nowMs, [])
  expect(leader.conditions.suspected.has('n1')).toBe(true)
  note()
  nowMs += 60_000
  leader.tick(nowMs, [])
  expect(leader.conditions.suspected.has('n1')).toBe(false)
  note()
  nowMs += 1_000
  expect(since()).toBe(timeOf(nowMs - 1_000))
})
