/**
 * The etcd member of this node: is it up, has it a leader, does it vote, does its database outgrow its quota, does it lag
 * behind, and did it raise an alarm? After the alarm NOSPACE etcd takes no more writes, and with it Kubernetes.
 */
import { z } from 'zod'
import { durationMs } from '../common/duration.ts'
import { defineDetector, type Host, type Judgement, RefusedCall, Unreachable } from './contract.ts'
import { asking, type Etcd, etcdOptions, etcdTouches, findEtcd } from './reading/etcd.ts'
import { type EtcdStatus, etcdStatusOf } from './reading/etcd-messages.ts'
import { ratio } from './reading/levels.ts'
import { prometheusSamples, prometheusValue } from './reading/prometheus.ts'

const HAS_LEADER = 'etcd_server_has_leader'
const QUOTA = 'etcd_server_quota_backend_bytes'
const DB_SIZE = 'etcd_mvcc_db_total_size_in_bytes'
const WANTED = new Set([HAS_LEADER, QUOTA, DB_SIZE])
/** etcd has some hundred kilobytes of metrics. */
const METRICS_BYTES_MAX = 8 * 1024 * 1024

interface Member {
  readonly url: string
  /** Why it does not answer; `no process` when there is none to do so. */
  readonly down?: string
  readonly hasLeader?: boolean | undefined
  readonly dbBytes?: number | undefined
  /** 0 or less: there is none. */
  readonly quotaBytes?: number | undefined
  /** Undefined where the agent is not let in to ask. */
  readonly status?: EtcdStatus | undefined
}

type EtcdReason =
  | 'EtcdDown'
  | 'EtcdNoLeader'
  | 'EtcdNoSpace'
  | 'EtcdCorrupt'
  | 'EtcdQuotaFilling'
  | 'EtcdQuotaAlmostFull'
  | 'EtcdBehind'
  | 'EtcdLearner'

export const etcdStatus = defineDetector({
  name: 'etcd-status',
  summary: 'Whether the etcd member here is up, has a leader and has room.',
  every: '15s',
  timeout: '14s',
  needs: [],
  touches: etcdTouches,
  options: z
    .strictObject({
      ...etcdOptions,
      warnRatio: ratio.default(0.8).describe('Share of the quota in use from which it is a warning.'),
      alarmRatio: ratio.default(0.95).describe('Share of the quota in use from which it is an alarm.'),
      behind: z
        .int()
        .min(1)
        .default(1_000)
        .describe('Entries of the log not applied yet, above which it is a warning. etcd refuses writes at 5000.'),
    })
    .refine(({ warnRatio, alarmRatio }) => warnRatio < alarmRatio, 'warnRatio must be below alarmRatio'),
  reasons: {
    EtcdDown: {
      severity: 'alarm',
      summary: 'The etcd member here does not answer: the cluster has one fewer to lose before it stops.',
      // Longer than a restart, as in an upgrade.
      sustain: '15s',
      runbook: 'etcd-status',
    },
    EtcdNoLeader: {
      severity: 'alarm',
      summary: 'The etcd member here knows no leader: without one nothing can be written, and Kubernetes stands still.',
      // An election takes a second or a few.
      sustain: '15s',
      runbook: 'etcd-status',
    },
    EtcdNoSpace: {
      severity: 'error',
      summary: 'The alarm NOSPACE is raised: etcd takes no more writes until it has room and the alarm is disarmed.',
      sustain: '0s',
      runbook: 'etcd-status',
    },
    EtcdCorrupt: {
      severity: 'error',
      summary: 'The alarm CORRUPT is raised: the data of the members of etcd differ.',
      sustain: '0s',
      runbook: 'etcd-status',
    },
    EtcdQuotaFilling: {
      severity: 'warn',
      summary: 'The database of etcd nears its quota; at the quota it takes no more writes.',
      sustain: '1m',
      runbook: 'etcd-status',
    },
    EtcdQuotaAlmostFull: {
      severity: 'alarm',
      summary: 'The database of etcd is almost at its quota: it is about to take no more writes.',
      sustain: '0s',
      runbook: 'etcd-status',
      supersedes: 'EtcdQuotaFilling',
    },
    EtcdBehind: {
      severity: 'warn',
      summary: 'The etcd member here does not keep up with what is written: its disk or its CPU is too slow.',
      sustain: '30s',
      runbook: 'etcd-status',
    },
    EtcdLearner: {
      severity: 'warn',
      summary: 'The etcd member here is still a learner: it does not vote, so the cluster can lose one fewer.',
      // What catching up takes, for a database of some gigabytes.
      sustain: '15m',
      runbook: 'etcd-status',
    },
  },

  async sample(host, options, signal) {
    signal.throwIfAborted()
    const etcd = await findEtcd(host, options, signal)
    if (etcd.id === undefined && options.endpoint === undefined) return { url: etcd.clientUrl, down: 'no process' }
    try {
      return await memberOf(host, etcd, durationMs(options.timeout), signal)
    } catch (error) {
      if (error instanceof Unreachable) return { url: etcd.clientUrl, down: error.code }
      throw error
    }
  },

  judge: (member: Member, options) =>
    member.down === undefined ? judgeMember(member, options) : [judgeDown(member.url, member.down)],
})

async function memberOf(host: Host, etcd: Etcd, withinMs: number, signal: AbortSignal): Promise<Member> {
  const { clientUrl: url, metricsUrl } = etcd
  const bounds = { signal, withinMs, bytesMax: METRICS_BYTES_MAX }
  const { status: code, body } = await host.get(`${metricsUrl}/metrics`, await asking(host, etcd, metricsUrl, bounds))
  if (code !== 200) throw new Error(`${metricsUrl}/metrics answers ${code}`)
  const samples = [...prometheusSamples(body, WANTED)]
  const leader = prometheusValue(samples, HAS_LEADER)
  if (leader === undefined) throw new Error(`${metricsUrl}/metrics does not say whether there is a leader`)
  const status = await statusOf(host, etcd, bounds).catch((error: unknown) => {
    // Where the metrics are open and clients need a key that is not for us, they are what can be had.
    if (error instanceof RefusedCall || (metricsUrl !== url && !(error instanceof Unreachable))) return undefined
    throw error
  })
  return {
    url,
    hasLeader: leader > 0,
    dbBytes: prometheusValue(samples, DB_SIZE),
    quotaBytes: prometheusValue(samples, QUOTA),
    status,
  }
}

async function statusOf(host: Host, etcd: Etcd, bounds: { signal: AbortSignal; withinMs: number }) {
  const url = `${etcd.clientUrl}/etcdserverpb.Maintenance/Status`
  return etcdStatusOf(await host.call(url, new Uint8Array(), await asking(host, etcd, url, bounds)))
}

function judgeDown(url: string, down: string): Judgement<EtcdReason> {
  const why = down === 'no process' ? 'and no process is it' : `which cannot be reached: ${down}`
  return {
    reason: 'EtcdDown',
    summary: `an etcd member is meant to answer at ${url}, ${why}`,
    evidence: [{ name: 'etcd', value: down, limit: 'answering', unit: '' }],
  }
}

interface Limits {
  readonly warnRatio: number
  readonly alarmRatio: number
  readonly behind: number
}

function judgeMember(
  { url, hasLeader, dbBytes = 0, quotaBytes = 0, status }: Member,
  { warnRatio, alarmRatio, behind }: Limits,
): readonly Judgement<EtcdReason>[] {
  const judgements: Judgement<EtcdReason>[] = []
  const add = (reason: EtcdReason, summary: string, name: string, value: number, limit: number, unit = '') =>
    judgements.push({ reason, summary, evidence: [{ name, value, limit, unit }] })
  const alarms = status?.alarms ?? []
  const { isLearner = false, index = 0, applied = 0 } = status ?? {}
  if (hasLeader === false) add('EtcdNoLeader', `the etcd member at ${url} knows no leader`, HAS_LEADER, 0, 1)
  if (alarms.includes('NOSPACE')) {
    add(
      'EtcdNoSpace',
      `etcd has raised NOSPACE with ${dbBytes} of ${quotaBytes} bytes in use`,
      DB_SIZE,
      dbBytes,
      quotaBytes,
      'bytes',
    )
  }
  if (alarms.includes('CORRUPT')) {
    add('EtcdCorrupt', `etcd at ${url} has raised CORRUPT`, 'alarms', alarms.length, 0, 'alarms')
  }
  const share = quotaBytes > 0 ? dbBytes / quotaBytes : 0
  const levels = [
    { reason: 'EtcdQuotaFilling', from: warnRatio },
    { reason: 'EtcdQuotaAlmostFull', from: alarmRatio },
  ] as const
  for (const { reason, from } of levels) {
    if (share < from) continue
    const summary = `etcd's database has ${dbBytes} of ${quotaBytes} bytes (${Math.floor(share * 100)} %)`
    add(reason, summary, DB_SIZE, dbBytes, quotaBytes, 'bytes')
  }
  if (index - applied > behind) {
    add(
      'EtcdBehind',
      `etcd has ${index - applied} entries yet to apply`,
      'entries behind',
      index - applied,
      behind,
      'entries',
    )
  }
  if (isLearner) add('EtcdLearner', `the etcd member at ${url} is a learner`, 'voting members here', 0, 1)
  return judgements
}
