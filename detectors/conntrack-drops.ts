/**
 * Does connection tracking lose packets? Each loss is the first packet of a connection, and shows as a delay: a SYN is sent
 * again after 1 s (tcp(7)), a DNS query after 5 s (resolv.conf(5)). How full the table is, is another detector's business.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector, type Judgement } from './contract.ts'
import { perMinuteSince, readUptime, UPTIME } from './reading/rates.ts'

/** A line of names, then one of hexadecimal counters for each CPU (nf_conntrack_standalone.c in the kernel). */
const STATISTICS = '/proc/net/stat/nf_conntrack'

/** The counters that are judged, by the names that the kernel gives them. */
const LOSSES = ['drop', 'insert_failed'] as const
const EVICTIONS = 'early_drop'

const perMinute = z.number().gt(0)

type Counters = Readonly<Record<string, number>>

export const conntrackDrops = defineDetector({
  name: 'conntrack-drops',
  summary: 'Whether connection tracking drops packets, or evicts connections to make room.',
  every: '30s',
  timeout: '5s',
  needs: [],
  touches: { paths: [STATISTICS, UPTIME] },
  options: z
    .strictObject({
      warnPerMinute: perMinute
        .default(10)
        .describe('Packets lost in a minute from which it is a warning. Below it are races of DNS queries over UDP.'),
      alarmPerMinute: perMinute
        .default(300)
        .describe('Packets lost in a minute from which it is an alarm: 5 connections delayed in each second.'),
      evictedPerMinute: perMinute
        .default(1)
        .describe(
          'Connections evicted in a minute from which it is a warning: the kernel does so only when the table is full.',
        ),
    })
    .refine(
      ({ warnPerMinute, alarmPerMinute }) => warnPerMinute < alarmPerMinute,
      'warnPerMinute must be below alarmPerMinute',
    ),
  reasons: {
    ConntrackDrops: {
      severity: 'warn',
      summary:
        'Connection tracking drops first packets of connections: connects and DNS queries are slow now and then.',
      sustain: '1m',
      runbook: 'conntrack-drops',
    },
    ConntrackDropsMany: {
      severity: 'alarm',
      summary:
        'Connection tracking drops first packets all the time: what this node connects to seems to fail at random.',
      sustain: '30s',
      runbook: 'conntrack-drops',
      supersedes: 'ConntrackDrops',
    },
    ConntrackEvicts: {
      severity: 'warn',
      summary: 'The connection-tracking table is full, and connections that wait for an answer are evicted from it.',
      sustain: '30s',
      runbook: 'conntrack-drops',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return { uptimeS: await readUptime(host), counters: parseStatistics(await host.readText(STATISTICS)) }
  },

  judge(now, { warnPerMinute, alarmPerMinute, evictedPerMinute }, past) {
    const rates = LOSSES.map((name) => ({ name, rate: perMinuteSince(now, past, (sample) => sample.counters[name]) }))
    // A packet that cannot be inserted is often counted as dropped too.
    const lost = Math.max(...rates.map(({ rate }) => rate ?? 0))
    const evicted = perMinuteSince(now, past, ({ counters }) => counters[EVICTIONS]) ?? 0
    const evidence = rates.map(({ name, rate }) => ({ name, value: rate ?? 0, limit: warnPerMinute, unit: '/min' }))
    const summary = `connection tracking loses ${counted(lost, 'packet')} a minute`
    const judgements: Judgement<'ConntrackDrops' | 'ConntrackDropsMany' | 'ConntrackEvicts'>[] = []
    if (lost >= warnPerMinute) judgements.push({ reason: 'ConntrackDrops', summary, evidence })
    if (lost >= alarmPerMinute) judgements.push({ reason: 'ConntrackDropsMany', summary, evidence })
    if (evicted >= evictedPerMinute) {
      judgements.push({
        reason: 'ConntrackEvicts',
        summary: `connection tracking evicts ${counted(evicted, 'connection')} a minute to make room`,
        evidence: [{ name: EVICTIONS, value: evicted, limit: evictedPerMinute, unit: '/min' }],
      })
    }
    return judgements
  },
})

/** The sum over all CPUs by name. Throws an Error when the table is not of its form. */
function parseStatistics(text: string): Counters {
  const [header = '', ...lines] = text.trim().split('\n')
  const names = header.trim().split(/\s+/)
  const rows = lines.map((line) => line.trim().split(/\s+/).map(parseHex))
  const missing = [...LOSSES, EVICTIONS].find((name) => !names.includes(name))
  if (missing !== undefined) throw new Error(`${STATISTICS} has no column ${missing}`)
  if (rows.length === 0 || rows.some((row) => row.length !== names.length || row.some(Number.isNaN))) {
    throw new Error(`${STATISTICS} has a line that does not fit its header`)
  }
  return Object.fromEntries(names.map((name, column) => [name, rows.reduce((sum, row) => sum + (row[column] ?? 0), 0)]))
}

function parseHex(word: string): number {
  return /^[0-9a-f]{1,16}$/.test(word) ? Number.parseInt(word, 16) : Number.NaN
}
