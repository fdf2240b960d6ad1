/** What the sample mesh looks like after its incident. `time(s)` is that many seconds after the incident began. */

import type { MatrixRow, MemberView, SightView, Snapshot, VoteView } from '../../aggregator/model.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { NO_PERMITS } from './sample-permits.ts'
import { SETTINGS_VIEW } from './sample-settings.ts'

export type TimeOf = (offsetSeconds: number) => string

export const VERDICT_ID = '5b1f0c77a8d94e21'
export const PLAN_ID = 'c0ffee5eed01'
const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']
const ZONES = ['a', 'b', 'c']

const zoneOf = (node: string) => ZONES[NODES.indexOf(node) % 3] ?? ''

const silent = (voter: string, forMs: number, channel = 'nothing'): VoteView => ({
  voter,
  zone: zoneOf(voter),
  opinion: 'silent',
  kind: 'NodeDown',
  channel,
  forMs,
})

const VOTES: readonly VoteView[] = [
  silent('node-1', 1_640),
  silent('node-2', 1_480),
  silent('node-3', 1_710),
  { voter: 'node-5', zone: 'b', opinion: 'abstain', kind: 'NodeDown', channel: 'unknown', forMs: 900 },
]

export function sampleSnapshot(time: TimeOf): Snapshot {
  const members = NODES.map(
    (node, index): MemberView => ({
      node,
      zone: zoneOf(node),
      roles: index === 0 ? ['control-plane', 'etcd'] : ['compute'],
      address: `/ip4/127.0.0.1/tcp/${7790 + index}`,
      state: node === 'node-4' ? 'NodeDown' : 'alive',
      flags: [],
      since: time(node === 'node-4' ? 2 : -3_600 + index),
      incarnation: `${index + 1}.0`,
      observers: NODES.filter((other) => other !== node),
      coveredBy: NODES.filter((other) => other !== node),
      seenBy: node === 'node-4' ? [] : NODES.filter((other) => other !== node && other !== 'node-4'),
      missedBy: node === 'node-4' ? ['node-1', 'node-2', 'node-3'] : [],
      votes: node === 'node-4' ? VOTES : [],
      needed: 3,
      ...(node === 'node-4' ? { verdictId: VERDICT_ID } : {}),
    }),
  )
  return {
    office: { node: 'node-1', role: 'leads', since: time(-3_700), why: 'since term 3', leader: 'node-1', unfit: null },
    marking: null,
    copies: null,
    mesh: {
      id: 'sample-mesh',
      leader: 'node-1',
      epoch: 4,
      version: '0.1.0',
      frozen: null,
      blind: null,
      hasQuorum: true,
    },
    roster: null,
    notice: 'All five nodes read this one host: their findings are about the same machine.',
    members,
    findings: findings(time),
    verdicts: [
      {
        id: VERDICT_ID,
        node: 'node-4',
        kind: 'NodeDown',
        at: time(2),
        votes: VOTES,
        needed: 3,
        present: 4,
        live: 5,
        certificate: Buffer.from('sample certificate of node-4').toString('base64'),
      },
    ],
    remediations: [awaiting(time), done(time)],
    permits: NO_PERMITS,
    settings: SETTINGS_VIEW,
  }
}

/** Nobody hears node-4, as its verdict says, and it says nothing of the others. */
export function sampleMatrix({ members }: Snapshot): readonly MatrixRow[] {
  return members.map(({ node, state, flags, observers }) => {
    const sights = observers.map((observer): SightView => {
      const at = { observer, zone: zoneOf(observer), channel: 'unknown' }
      if (observer === 'node-4') return { ...at, sees: 'unknown', ageMs: null, from: 'none' }
      if (node !== 'node-4') return { ...at, sees: 'hears', ageMs: 60_000, from: 'watching' }
      if (observer === 'node-5') return { ...at, sees: 'abstains', ageMs: 2_000, from: 'roll-call' }
      return { ...at, sees: 'nothing', channel: 'nothing', ageMs: 2_000, from: 'roll-call' }
    })
    return { subject: node, state, flags, disputed: node === 'node-4', sights }
  })
}

function findings(time: TimeOf): readonly Finding[] {
  const finding = (node: string, detector: string, over: Partial<Finding>): Finding => ({
    id: `${node}/${detector}/${over.reason ?? 'Ok'}/${over.cause ?? ''}#1`,
    node,
    detector,
    reason: 'Ok',
    cause: '',
    status: 'ok',
    summary: '',
    evidence: [],
    since: time(-600),
    observedAt: time(30),
    ttlMs: 60_000,
    ...over,
  })
  const fine = NODES.filter((node) => node !== 'node-4').flatMap((node) => [
    finding(node, 'clock-skew', {}),
    finding(node, 'disk', {}),
  ])
  return [
    ...fine,
    finding('node-5', 'oom', { status: 'not-applicable', reason: 'NotApplicable', summary: 'needs CAP_SYSLOG' }),
    finding('node-3', 'disk', {
      status: 'warn',
      reason: 'DiskFilling',
      cause: '/var',
      summary: '/var is 86 % full',
      evidence: [{ name: 'used', value: 86, limit: 85, unit: '%' }],
    }),
    finding('node-2', 'sysctl', {
      status: 'alarm',
      reason: 'SysctlDiffers',
      cause: 'net.core.somaxconn',
      summary: 'net.core.somaxconn is 128 and should be 4096',
      evidence: [{ name: 'net.core.somaxconn', value: 128, limit: 4096, unit: '' }],
      since: time(20),
    }),
    finding('node-1', 'conntrack', {
      status: 'error',
      reason: 'ConntrackTableFull',
      summary: 'The connection table holds 254,280 of 262,144 entries',
      evidence: [{ name: 'conntrack_entries', value: 254_280, limit: 262_144, unit: 'entries' }],
      since: time(45),
    }),
    finding('node-5', 'cadvisor', {
      status: 'unknown',
      reason: 'ProbeFailed',
      summary: 'cadvisor did not answer within 2s',
    }),
  ]
}

const BY_SETTINGS = { policy: 'remediators.sysctl', mode: 'approve', rung: 1, attempt: 1 } as const

function awaiting(time: TimeOf): Remediation {
  return {
    plan: {
      id: PLAN_ID,
      node: 'node-2',
      remediator: 'sysctl',
      detector: 'sysctl',
      reason: 'SysctlDiffers',
      cause: 'net.core.somaxconn',
      findingId: 'node-2/sysctl/SysctlDiffers/net.core.somaxconn#1',
      changes: [
        { what: 'net.core.somaxconn', before: '128', after: '4096', undo: 'sysctl -w net.core.somaxconn=128' },
        {
          what: 'net.ipv4.tcp_max_syn_backlog',
          before: '512',
          after: '8192',
          undo: 'sysctl -w net.ipv4.tcp_max_syn_backlog=512',
        },
      ],
      reach: 'none',
      risk: 'low',
      planHash: 'a1'.repeat(32),
      evidenceHash: 'b2'.repeat(32),
      createdAt: time(22),
    },
    phase: 'awaiting-approval',
    ...BY_SETTINGS,
    why: 'the mode of this rule is approve',
    at: time(22),
  }
}

function done(time: TimeOf): Remediation {
  return {
    plan: {
      ...awaiting(time).plan,
      id: '0ldf1x0000aa',
      node: 'node-5',
      cause: 'vm.max_map_count',
      findingId: 'node-5/sysctl/SysctlDiffers/vm.max_map_count#1',
      changes: [
        { what: 'vm.max_map_count', before: '65530', after: '262144', undo: 'sysctl -w vm.max_map_count=65530' },
      ],
    },
    phase: 'verified',
    ...BY_SETTINGS,
    ended: true,
    why: 'the detector sees 262144 again',
    at: time(-900),
    decisionId: 'decision-1',
  }
}
