/**
 * Do packets to this node's peers take long? The mesh measures every beat. Many slow peers mean this node: its link, its
 * driver, a processor that has no time for packets. A single one means that peer, and is only told.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'
import { defineDetector, type PeerLink } from './contract.ts'
import { isOwnSide, measuredLinks } from './reading/links.ts'

const duration = z.string().refine(isDuration, 'write a number and ms, s, m, h or d, as in 15ms')

/** Of a link that loses more, what is measured is the wait for what was lost: peer-loss tells of it. */
const LOST_MAX = 0.05

export const peerLatency = defineDetector({
  name: 'peer-latency',
  summary: 'How long packets to the peers of this node, and their answers, take.',
  every: '1m',
  timeout: '5s',
  needs: [],
  touches: { peers: true },
  options: z.strictObject({
    // Of satellite's check of latencies between nodes. Within a data centre they are well below a millisecond.
    near: duration
      .default('15ms')
      .describe('95th percentile of the round trips within a zone above which a peer is slow.'),
    far: z
      .number()
      .gt(1)
      .default(3)
      .describe('The same to other zones, as a multiple of the median to that peer: how far it is cannot be helped.'),
  }),
  reasons: {
    PeersSlow: {
      severity: 'warn',
      summary:
        'Packets to and from many peers of this node take long: its own link is slow, or it has no time for packets.',
      sustain: '5m',
      runbook: 'peer-latency',
    },
    PeerSlow: {
      severity: 'info',
      summary: 'Packets to and from one peer take long, while those of the others do not.',
      sustain: '5m',
      runbook: 'peer-latency',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return measuredLinks(host)
  },

  judge(links, { near, far }) {
    const limitOf = ({ isNear, medianMs }: PeerLink) =>
      isNear ? durationMs(near) : Math.max(durationMs(near), medianMs * far)
    const slow = links.filter((link) => link.p95Ms > limitOf(link) && link.lost <= link.beats * LOST_MAX)
    if (isOwnSide(slow, links)) {
      const worst = Math.max(...slow.map(({ p95Ms }) => p95Ms))
      return [
        {
          reason: 'PeersSlow' as const,
          summary: `one answer in 20 of ${slow.length} of ${links.length} peers takes long, of the worst over ${rounded(worst)} ms`,
          evidence: [
            { name: 'slow peers', value: slow.length, unit: 'peers' },
            { name: 'worst 95th percentile', value: rounded(worst), limit: durationMs(near), unit: 'ms' },
          ],
        },
      ]
    }
    return slow.map((link) => ({
      reason: 'PeerSlow' as const,
      cause: link.node,
      summary: `one answer in 20 of ${link.node} takes over ${rounded(link.p95Ms)} ms, of ${links.length} peers that are measured`,
      evidence: [
        { name: '95th percentile', value: rounded(link.p95Ms), limit: rounded(limitOf(link)), unit: 'ms' },
        { name: 'median', value: rounded(link.medianMs), unit: 'ms' },
      ],
    }))
  },
})

const rounded = (ms: number) => Math.round(ms * 10) / 10
