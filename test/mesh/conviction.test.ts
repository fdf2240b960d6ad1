/** Between count and commit: what the kubelet's Lease makes of a verdict, where it can be read. */
import { describe, expect, test } from 'vitest'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { DrivenLeader } from './driven-leader.ts'
import { nodeName, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const { rollCallMs, heartbeatReadMs, hostHungLeaseMs, hostHungMs } = DEFAULT_TIMING
const HUNG = { opinion: 'HostHung', channel: 'mute' } as const

const leaderWith = (heartbeats: boolean) => new DrivenLeader({ roster: sampleRoster({ nodes: 20 }), heartbeats })

/** Everybody answers that the subject is silent; its Lease is not read yet. */
function counted(silentMs?: number): DrivenLeader {
  const said = silentMs === undefined ? {} : { ...HUNG, silentMs, forMs: silentMs }
  return leaderWith(true).convict(SUBJECT, 0, said)
}

function reads(leader: DrivenLeader, renewed: boolean | undefined, at = rollCallMs + 10): DrivenLeader {
  leader.leader.heartbeat(SUBJECT, renewed)
  return leader.tick(at)
}

describe('where Leases can be read', () => {
  test('nothing is committed before the reading is there, which asks since when the subject was silent to all', () => {
    const leader = leaderWith(true).accuse(SUBJECT, leaderWith(true).observersOf(SUBJECT)).tick(0)
    const answers = leader.observersOf(SUBJECT).map((voter, index) => {
      return leader.answer(SUBJECT, voter, { forMs: 1_400 + index })
    })
    leader.hears(answers).tick(rollCallMs)
    expect(leader.readings).toEqual([{ kind: 'readHeartbeat', subject: SUBJECT, silentMs: 1_400 }])
    expect(leader.tick(rollCallMs + heartbeatReadMs - 1).certificates).toEqual([])
    leader.leader.heartbeat(nodeName(9), false)
    expect(leader.tick(rollCallMs + heartbeatReadMs - 1).certificates).toEqual([])
  })

  test.each([
    { reading: 'stale', renewed: false, kind: 'NodeDown', heartbeat: 'stale' },
    { reading: 'unknown', renewed: undefined, kind: 'NodeDown', heartbeat: 'unread' },
    { reading: 'renewed', renewed: true, kind: 'Isolated', heartbeat: 'renewed' },
  ])('a silent host whose Lease is $reading is $kind', ({ renewed, kind, heartbeat }) => {
    const leader = reads(counted(), renewed)
    expect(leader.certificates).toMatchObject([{ subject: SUBJECT, kind, heartbeat }])
    expect(leader.leader.conditions.standing.get(SUBJECT)?.kind).toBe(kind)
  })

  test('a silent host whose Lease nobody reads in time is NodeDown', () => {
    const leader = counted().tick(rollCallMs + heartbeatReadMs)
    expect(leader.certificates).toMatchObject([{ kind: 'NodeDown', heartbeat: 'unread' }])
  })

  test.each([
    { reading: 'stale', renewed: false, kinds: ['HostHung'] },
    { reading: 'renewed', renewed: true, kinds: ['Isolated'] },
    { reading: 'unknown', renewed: undefined, kinds: [] },
  ])('a host that hangs for 10 s and whose Lease is $reading: $kinds', ({ renewed, kinds }) => {
    const leader = reads(counted(hostHungLeaseMs), renewed)
    expect(leader.certificates.map(({ kind }) => kind)).toEqual(kinds)
    expect(leader.noticed('withheld').map(({ why }) => why)).toEqual(
      kinds.length > 0 ? [] : ['its Lease could not be read'],
    )
  })

  test('a host that hangs for less than 10 s is nobody to ask about', () => {
    expect(
      leaderWith(true)
        .accuse(SUBJECT, leaderWith(true).observersOf(SUBJECT), { ...HUNG, silentMs: 9_000 })
        .tick(999).calls,
    ).toEqual([])
  })
})

test.each([
  { silentMs: hostHungMs - 1_000, verdicts: 0 },
  { silentMs: hostHungMs, verdicts: 1 },
])('where there are none, a host that hangs for $silentMs ms makes $verdicts verdicts', ({ silentMs, verdicts }) => {
  const leader = leaderWith(false)
  const said = { ...HUNG, silentMs, forMs: silentMs }
  leader.accuse(SUBJECT, leader.observersOf(SUBJECT), said).tick(0)
  if (leader.calls.length > 0) {
    leader.hears(leader.observersOf(SUBJECT).map((voter) => leader.answer(SUBJECT, voter, said))).tick(rollCallMs)
  }
  expect(leader.readings).toEqual([])
  expect(leader.certificates.map(({ heartbeat }) => heartbeat)).toEqual(verdicts === 0 ? [] : ['unread'])
})

test('a verdict is Isolated from the moment on when its Lease is seen to be renewed, told once', () => {
  const leader = reads(counted(), false)
  leader.leader.heartbeat(SUBJECT, false)
  leader.leader.heartbeat(SUBJECT, undefined)
  expect(leader.tick(1_000).noticed('isolated')).toEqual([])
  for (const ms of [2_000, 3_000]) reads(leader, true, ms)
  const verdict = { verdictId: leader.certificates[0]?.verdictId, kind: 'Isolated', subject: SUBJECT }
  expect(leader.noticed('isolated')).toMatchObject([{ verdict }])
  expect(leader.leader.conditions.standing.get(SUBJECT)).toMatchObject(verdict)
})
