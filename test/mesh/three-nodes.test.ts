/** Three nodes: the two observers of each convict it by the slow path, with what the API server has seen of its kubelet. */
import { expect, test } from 'vitest'
import { verifyCertificate } from '../../mesh/core/certificate.ts'
import type { Certificate, Heartbeat } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { DrivenLeader } from './driven-leader.ts'
import { LEADER, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const SUBJECT = nodeName(2)
const OTHERS = [nodeName(0), nodeName(1)]
const HASH = 'ab'.repeat(32)
const { hostHungLeaseMs, rollCallMs } = DEFAULT_TIMING

/** Both have heard nothing of the dead host, for so long; its Lease then is read, or there is none. */
function silentFor(ms: number, { heartbeats = true, lease = 'stale' as Heartbeat, zones = 3 } = {}) {
  const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 3, zones }), heartbeats })
  leader.accuse(SUBJECT, OTHERS, { silentMs: ms }).tick(0)
  if (leader.calls.length === 0) return leader
  leader.hears(
    OTHERS.map((voter) => leader.answer(SUBJECT, voter, { forMs: ms })),
    OTHERS,
  )
  leader.tick(rollCallMs)
  leader.leader.heartbeat(SUBJECT, lease === 'unread' ? undefined : lease === 'renewed')
  return leader.tick(rollCallMs + 10)
}

function check(leader: DrivenLeader, certificate: Certificate | undefined) {
  if (certificate === undefined) throw new Error('the leader made no verdict')
  return verifyCertificate(certificate, leader.roster, HASH, standInKeyring(SUBJECT), DEFAULT_TIMING)
}

test.each([1, 3])('a dead host is held to hang after ten seconds with a stale Lease, in %i zones', (zones) => {
  const leader = silentFor(hostHungLeaseMs, { zones })
  expect(leader.certificates).toMatchObject([{ kind: 'HostHung', heartbeat: 'stale', present: 2, live: 3 }])
  expect(check(leader, leader.certificates[0])).toEqual({ valid: true })
  expect(leader.leader.neededFor(SUBJECT)).toBe(2)
})

test('before ten seconds nobody is asked, and it is known when that will be', () => {
  const leader = silentFor(hostHungLeaseMs - 1)
  expect(leader.calls).toEqual([])
  expect(leader.leader.hostHungInMs(0, SUBJECT)).toBe(1)
})

test('with a renewed Lease it is cut off from its peers, and that can be counted again', () => {
  const leader = silentFor(hostHungLeaseMs, { lease: 'renewed' })
  expect(leader.certificates).toMatchObject([{ kind: 'Isolated', heartbeat: 'renewed' }])
  expect(check(leader, leader.certificates[0])).toEqual({ valid: true })
})

test('with a Lease that cannot be read, and without any, it is convicted of nothing', () => {
  const unread = silentFor(hostHungLeaseMs, { lease: 'unread' }).tick(10_000)
  expect(unread.certificates).toEqual([])
  expect(unread.noticed('withheld')[0]?.why).toContain('its Lease could not be read')
  const without = silentFor(60_000, { heartbeats: false })
  expect([without.calls, without.leader.neededFor(SUBJECT)]).toEqual([[], Number.POSITIVE_INFINITY])
  expect(without.leader.hostHungInMs(0, SUBJECT)).toBeUndefined()
})

test('a leader that signs it without having read the Lease proves nothing', () => {
  const leader = silentFor(60_000)
  const [certificate] = leader.certificates
  if (certificate === undefined) throw new Error('the leader made no verdict')
  const { mesh, rollCall, answers, signature: _, ...conclusion } = { ...certificate, heartbeat: 'unread' as const }
  const signature = standInKeyring(LEADER).sign('verdict', conclusion)
  const forged = { ...conclusion, mesh, rollCall, answers, signature }
  expect(check(leader, forged)).toMatchObject({ valid: false, why: expect.stringContaining('Lease was not read') })
})

test('it has recovered when both hear it again', () => {
  const leader = silentFor(hostHungLeaseMs)
  const [first = ''] = OTHERS
  const hears = { opinion: 'Alive', channel: 'userland' } as const
  leader.accuse(SUBJECT, [first], hears).tick(20_000)
  expect(leader.noticed('recovered')).toEqual([])
  leader.accuse(SUBJECT, OTHERS, hears).tick(20_010)
  expect(leader.noticed('recovered')).toMatchObject([{ why: '2 observers hear it again' }])
})
