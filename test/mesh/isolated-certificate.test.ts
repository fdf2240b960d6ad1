/** What a certificate must show of the kubelet's Lease, whatever its leader signed. */
import { expect, test } from 'vitest'
import { verifyCertificate } from '../../mesh/core/certificate.ts'
import type { Certificate, Conclusion, Heartbeat, VerdictKind } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { DrivenLeader } from './driven-leader.ts'
import { LEADER, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const roster = sampleRoster({ nodes: 20 })
const HASH = 'ab'.repeat(32)

function committed(forMs: number | undefined, heartbeat: Heartbeat): Certificate {
  const hung = { opinion: 'HostHung', channel: 'mute', silentMs: forMs ?? 0, forMs: forMs ?? 0 } as const
  const leader = new DrivenLeader({ roster, heartbeats: true }).convict(SUBJECT, 0, forMs === undefined ? {} : hung)
  leader.leader.heartbeat(SUBJECT, heartbeat === 'unread' ? undefined : heartbeat === 'renewed')
  const [certificate] = leader.tick(310).certificates
  if (certificate === undefined) throw new Error('the leader made no verdict')
  return certificate
}

/** The leader itself signs something else. */
function signedAgain(certificate: Certificate, parts: Partial<Pick<Conclusion, 'kind' | 'heartbeat'>>): Certificate {
  const { mesh, rollCall, answers, signature: _, ...conclusion } = { ...certificate, ...parts }
  const signature = standInKeyring(LEADER).sign('verdict', conclusion)
  return { ...conclusion, mesh, rollCall, answers, signature }
}

function isValid(certificate: Certificate): boolean {
  return verifyCertificate(certificate, roster, HASH, standInKeyring(SUBJECT), DEFAULT_TIMING).valid
}

const HUNG_12_S = 12_000
const HUNG_26_S = 26_000

test.each<{ forMs: number | undefined; lease: Heartbeat; kind: VerdictKind }>([
  { forMs: undefined, lease: 'stale', kind: 'NodeDown' },
  { forMs: undefined, lease: 'unread', kind: 'NodeDown' },
  { forMs: undefined, lease: 'renewed', kind: 'Isolated' },
  { forMs: HUNG_12_S, lease: 'stale', kind: 'HostHung' },
  { forMs: HUNG_12_S, lease: 'renewed', kind: 'Isolated' },
])(
  'what an honest leader commits verifies: $kind with a Lease $lease, hung for $forMs ms',
  ({ forMs, lease, kind }) => {
    const certificate = committed(forMs, lease)
    expect([certificate.kind, certificate.heartbeat, isValid(certificate)]).toEqual([kind, lease, true])
    expect(isValid(signedAgain(certificate, {}))).toBe(true)
  },
)

test.each<{ forMs: number | undefined; lease: Heartbeat; kind: VerdictKind; heartbeat: Heartbeat; valid: boolean }>([
  { forMs: undefined, lease: 'stale', kind: 'Isolated', heartbeat: 'stale', valid: false },
  { forMs: undefined, lease: 'unread', kind: 'Isolated', heartbeat: 'unread', valid: false },
  { forMs: undefined, lease: 'renewed', kind: 'NodeDown', heartbeat: 'renewed', valid: false },
  { forMs: undefined, lease: 'stale', kind: 'HostHung', heartbeat: 'stale', valid: false },
  { forMs: HUNG_12_S, lease: 'stale', kind: 'HostHung', heartbeat: 'unread', valid: false },
  { forMs: HUNG_26_S, lease: 'stale', kind: 'HostHung', heartbeat: 'unread', valid: true },
  { forMs: HUNG_12_S, lease: 'stale', kind: 'NodeDown', heartbeat: 'stale', valid: false },
  { forMs: HUNG_12_S, lease: 'renewed', kind: 'HostHung', heartbeat: 'renewed', valid: false },
])(
  'what was $forMs ms hung with a Lease $lease, signed as $kind with one $heartbeat: valid $valid',
  ({ forMs, lease, kind, heartbeat, valid }) => {
    expect(isValid(signedAgain(committed(forMs, lease), { kind, heartbeat }))).toBe(valid)
  },
)
