/**
 * How many connections clients hold to etcd, whether they multiply, and how near it is to its limit of open files, of which
 * each takes one. At the limit it accepts nobody any more, and its members lose each other too.
 */
import { z } from 'zod'
import { durationMs } from '../common/duration.ts'
import { defineDetector, type Host, type Judgement, Unreachable } from './contract.ts'
import { asking, type Etcd, etcdOptions, etcdTouches, findEtcd } from './reading/etcd.ts'
import { ratio } from './reading/levels.ts'
import { prometheusSamples, prometheusValue } from './reading/prometheus.ts'

const OPEN = 'process_open_fds'
const MAX = 'process_max_fds'
const WANTED = new Set([OPEN, MAX])
const METRICS_BYTES_MAX = 8 * 1024 * 1024
/** Of the host's own network, which process 1 is in. */
const TABLES = ['/proc/1/net/tcp', '/proc/1/net/tcp6']

interface Use {
  readonly url: string
  readonly openFiles?: number | undefined
  readonly maxFiles?: number | undefined
  /** Established ones to the port for clients; undefined when the table of sockets cannot be read. */
  readonly connections?: number | undefined
}

type ConnectionsReason = 'EtcdFilesFilling' | 'EtcdFilesAlmostGone' | 'EtcdConnectionsGrowing'

export const etcdConnections = defineDetector({
  name: 'etcd-connections',
  summary: 'How many connections etcd holds, and how near it is to its limit of open files.',
  every: '30s',
  timeout: '14s',
  needs: [],
  touches: etcdTouches,
  options: z
    .strictObject({
      ...etcdOptions,
      warnRatio: ratio
        .default(0.8)
        .describe("Share of etcd's limit of open files from which it is a warning; etcd logs one there too."),
      alarmRatio: ratio.default(0.95).describe('Share of that limit from which it is an alarm.'),
      growth: z
        .number()
        .gt(1)
        .default(2)
        .describe('A warning when the connections are this many times what they were within the last ten looks,'),
      growthFrom: z
        .int()
        .min(1)
        .default(1_000)
        .describe('and at least so many: an API server holds some hundred, and opens them all when it starts.'),
    })
    .refine(({ warnRatio, alarmRatio }) => warnRatio < alarmRatio, 'warnRatio must be below alarmRatio'),
  reasons: {
    EtcdFilesFilling: {
      severity: 'warn',
      summary: 'The etcd here nears its limit of open files; at the limit nobody can connect any more.',
      sustain: '1m',
      runbook: 'etcd-connections',
    },
    EtcdFilesAlmostGone: {
      severity: 'alarm',
      summary:
        'The etcd here has almost no open files left: new connections are about to be refused, those of members too.',
      sustain: '0s',
      runbook: 'etcd-connections',
      supersedes: 'EtcdFilesFilling',
    },
    EtcdConnectionsGrowing: {
      severity: 'warn',
      summary: 'Connections to etcd multiply: some client opens them and does not let go.',
      sustain: '30s',
      runbook: 'etcd-connections',
    },
  },

  async sample(host, options, signal): Promise<Use> {
    signal.throwIfAborted()
    const etcd = await findEtcd(host, options, signal)
    const files = await filesOf(host, etcd, { signal, withinMs: durationMs(options.timeout) })
    return { url: etcd.clientUrl, ...files, connections: await connectionsTo(host, portOf(etcd.clientUrl)) }
  },

  judge({ url, openFiles, maxFiles, connections }, { warnRatio, alarmRatio, growth, growthFrom }, past) {
    const judgements: Judgement<ConnectionsReason>[] = []
    const share = openFiles !== undefined && maxFiles !== undefined && maxFiles > 0 ? openFiles / maxFiles : 0
    const levels = [
      { reason: 'EtcdFilesFilling', from: warnRatio },
      { reason: 'EtcdFilesAlmostGone', from: alarmRatio },
    ] as const
    for (const { reason, from } of levels) {
      if (share < from) continue
      judgements.push({
        reason,
        summary: `etcd has ${openFiles} of ${maxFiles} files open (${Math.floor(share * 100)} %), ${connections ?? 'an unknown number'} of them connections of clients`,
        evidence: [{ name: OPEN, value: openFiles ?? 0, limit: maxFiles ?? 0, unit: 'files' }],
      })
    }
    const before = past.flatMap(({ connections: earlier }) => earlier ?? [])
    const fewest = Math.min(...before)
    if (connections !== undefined && before.length > 0 && connections >= growthFrom && connections >= growth * fewest) {
      judgements.push({
        reason: 'EtcdConnectionsGrowing',
        summary: `${connections} connections are open to ${url}, lately there were ${fewest}`,
        evidence: [
          {
            name: 'connections',
            value: connections,
            limit: Math.max(growthFrom, growth * fewest),
            unit: 'connections',
          },
        ],
      })
    }
    return judgements
  },
})

/** Nothing when etcd does not answer, which etcd-status reports. */
async function filesOf(host: Host, etcd: Etcd, bounds: { signal: AbortSignal; withinMs: number }) {
  const url = `${etcd.metricsUrl}/metrics`
  try {
    const reply = await host.get(url, await asking(host, etcd, url, { ...bounds, bytesMax: METRICS_BYTES_MAX }))
    if (reply.status !== 200) throw new Error(`${url} answers ${reply.status}`)
    const samples = [...prometheusSamples(reply.body, WANTED)]
    const openFiles = prometheusValue(samples, OPEN)
    const maxFiles = prometheusValue(samples, MAX)
    if (openFiles === undefined || maxFiles === undefined) throw new Error(`${url} does not count open files`)
    return { openFiles, maxFiles }
  } catch (error) {
    if (error instanceof Unreachable) return {}
    throw error
  }
}

function portOf(url: string): number {
  return Number(/:(\d+)$/.exec(url)?.[1] ?? Number.NaN)
}

/** Undefined when a table cannot be read, or is longer than what is read of a file: some 56,000 sockets of any kind. */
async function connectionsTo(host: Host, port: number): Promise<number | undefined> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let connections = 0
  for (const path of TABLES) {
    const table = await host.readText(path).catch(() => undefined)
    if (table === undefined) return undefined
    for (const line of table.split('\n')) {
      // Its number, local address, remote address, state: 01 is ESTABLISHED (proc(5)).
      const [, from = '', , state] = line.trim().split(/\s+/, 4)
      if (state === '01' && from.endsWith(local)) connections += 1
    }
  }
  return connections
}
