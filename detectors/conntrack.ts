/**
 * Is the connection-tracking table about to run full? The kernel then drops the first packet of every new flow and says
 * so only in its log ("nf_conntrack: table full, dropping packet"). On a Kubernetes node every Service connection
 * takes an entry.
 */
import { z } from 'zod'
import { defineDetector } from './contract.ts'
import { IN_ORDER, inOrder, percent, ratio, reached } from './reading/levels.ts'

const COUNT = '/proc/sys/net/netfilter/nf_conntrack_count'
/** 0 means that there is no limit (nf_conntrack_alloc in the kernel's net/netfilter/nf_conntrack_core.c). */
const MAX = '/proc/sys/net/netfilter/nf_conntrack_max'

export const conntrack = defineDetector({
  name: 'conntrack',
  summary: 'How full the connection-tracking table is.',
  importance: 'vital',
  every: '15s',
  timeout: '5s',
  needs: [],
  touches: { paths: [COUNT, MAX] },
  options: z
    .strictObject({
      warnRatio: ratio.default(0.8).describe('Share of nf_conntrack_max in use from which it is a warning.'),
      alarmRatio: ratio.default(0.95).describe('Share of nf_conntrack_max in use from which it is an alarm.'),
    })
    .refine(inOrder, IN_ORDER),
  reasons: {
    ConntrackFilling: {
      severity: 'warn',
      summary: 'The connection-tracking table is filling up; when it is full, new connections are dropped.',
      sustain: '1m',
      runbook: 'conntrack',
    },
    ConntrackAlmostFull: {
      severity: 'alarm',
      summary: 'The connection-tracking table is all but full: any burst of new connections is dropped.',
      // Shorter than the warning's: at this level minutes matter, and one sample may still be a passing burst.
      sustain: '15s',
      runbook: 'conntrack',
      supersedes: 'ConntrackFilling',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return { used: await host.readInt(COUNT), max: await host.readInt(MAX) }
  },

  judge({ used, max }, options) {
    if (max <= 0) return []
    const share = used / max
    const summary = `${used} of ${max} conntrack entries are in use (${percent(share)})`
    const evidence = [{ name: 'nf_conntrack_count', value: used, limit: max, unit: 'entries' }]
    return reached(share, options, 'ConntrackFilling', 'ConntrackAlmostFull').map((reason) => ({
      reason,
      summary,
      evidence,
    }))
  },
})
