/**
 * Is this node's clock wrong? The mesh measures each peer's clock against ours with every acknowledgement. The median of
 * the peers is held against ours, so that one or a few peers with a wrong clock cannot accuse a right one; what is left is
 * a clock that more than half of its peers disagree with.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'
import { defineDetector, NotApplicable, type PeerOffset } from './contract.ts'

interface Offset {
  /** The peers' clocks minus ours, ms: positive when ours is behind. */
  readonly medianMs: number
  /** The true median lies within ± this. */
  readonly errorMs: number
  readonly peers: number
}

const duration = z.string().refine(isDuration, 'write a number and ms, s, m, h or d, as in 100ms')

export const clockSkew = defineDetector({
  name: 'clock-skew',
  summary: "How far the host's clock is from the clocks of its peers.",
  importance: 'vital',
  every: '10s',
  timeout: '5s',
  needs: [],
  touches: { peers: true },
  options: z
    .strictObject({
      warn: duration.default('100ms').describe('Distance above which it is a warning.'),
      alarm: duration.default('1s').describe('Distance above which it is an alarm.'),
      error: duration.default('10s').describe('Distance above which it is an error.'),
      minPeers: z.int().min(3).default(3).describe('With fewer peers measured, a wrong one could be the median.'),
    })
    .refine(
      // A value that is no duration has its own message.
      ({ warn, alarm, error }) =>
        ![warn, alarm, error].every(isDuration) ||
        (durationMs(warn) < durationMs(alarm) && durationMs(alarm) < durationMs(error)),
      'warn must be below alarm, and alarm below error',
    ),
  reasons: {
    ClockSkewed: {
      severity: 'warn',
      summary: 'The clock is off by more than a synchronised clock ever is: time synchronisation is not working.',
      sustain: '1m',
      runbook: 'clock-skew',
    },
    ClockFarOff: {
      severity: 'alarm',
      summary: 'The clock is off by seconds: logs and events of this node no longer line up with those of others.',
      sustain: '30s',
      runbook: 'clock-skew',
      supersedes: 'ClockSkewed',
    },
    ClockUnusable: {
      severity: 'error',
      summary: 'The clock is off by so much that certificates, tokens and leases are judged wrongly.',
      sustain: '30s',
      runbook: 'clock-skew',
      supersedes: 'ClockFarOff',
    },
  },

  async sample(host, { minPeers }, signal) {
    signal.throwIfAborted()
    const offsets = host.peerOffsets().filter(({ offsetMs, errorMs }) => isPlausible(offsetMs) && isPlausible(errorMs))
    if (offsets.length < minPeers) {
      throw new NotApplicable(`${offsets.length} peers have been measured, and it takes ${minPeers}`)
    }
    return medianOffset(offsets)
  },

  judge({ medianMs, errorMs, peers }, { warn, alarm, error }) {
    const distanceMs = Math.abs(medianMs)
    // The peers agree with our clock as far as can be measured over this network.
    if (distanceMs <= errorMs) return []
    const direction = medianMs > 0 ? 'behind' : 'ahead of'
    const summary =
      `this clock is ${Math.round(distanceMs)} ms ${direction} the median of ${peers} peers, ` +
      `give or take ${Math.ceil(errorMs)} ms`
    const levels = [
      { reason: 'ClockSkewed', limitMs: durationMs(warn) },
      { reason: 'ClockFarOff', limitMs: durationMs(alarm) },
      { reason: 'ClockUnusable', limitMs: durationMs(error) },
    ] as const
    return levels
      .filter(({ limitMs }) => distanceMs > limitMs)
      .map(({ reason, limitMs }) => ({
        reason,
        summary,
        evidence: [
          { name: 'median offset', value: Math.round(medianMs), limit: limitMs, unit: 'ms' },
          { name: 'error', value: Math.ceil(errorMs), unit: 'ms' },
          { name: 'peers', value: peers, unit: 'peers' },
        ],
      }))
  },
})

/**
 * The true offsets all lie within their error bars, and a median only grows when its values do: so the true median lies
 * between the median of the lower ends and the median of the upper ends.
 */
function medianOffset(offsets: readonly PeerOffset[]): Offset {
  const medianMs = median(offsets.map(({ offsetMs }) => offsetMs))
  const low = median(offsets.map(({ offsetMs, errorMs }) => offsetMs - Math.abs(errorMs)))
  const high = median(offsets.map(({ offsetMs, errorMs }) => offsetMs + Math.abs(errorMs)))
  return { medianMs, errorMs: Math.max(medianMs - low, high - medianMs), peers: offsets.length }
}

/** A number, and one that sums of a few do not carry beyond all numbers. */
function isPlausible(ms: number): boolean {
  return Math.abs(ms) <= Number.MAX_SAFE_INTEGER
}

/** Of at least one value. Between the two middle ones when their number is even. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = Math.floor(sorted.length / 2)
  const lower = Math.ceil(sorted.length / 2) - 1
  return ((sorted[lower] ?? 0) + (sorted[upper] ?? 0)) / 2
}
