/**
 * Is this node's clock wrong? The mesh measures each peer's clock against ours with every acknowledgement. The median of
 * the peers is held against ours, so that one or a few peers with a wrong clock cannot accuse a right one; what is left is
 * a clock that more than half of its peers disagree with. Beside that counts what the time daemon measures against its
 * servers: a whole fleet can be wrong together.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { durationMs, isDuration } from '../common/duration.ts'
import { defineDetector, NotApplicable, type PeerOffset } from './contract.ts'
import { TIME_COMMANDS, timeSync } from './reading/time-sync.ts'

interface Offset {
  /** Against what, for a person. */
  readonly against: string
  /** That clock minus ours, ms: positive when ours is behind. */
  readonly ms: number
  /** The true offset lies within ± this. */
  readonly errorMs: number
  /** Peers measured; 0 for the time daemon's reference. */
  readonly peers: number
}

const duration = z.string().refine(isDuration, 'write a number and ms, s, m, h or d, as in 100ms')

export const clockSkew = defineDetector({
  name: 'clock-skew',
  summary: "How far the host's clock is from the clocks of its peers, and from its time servers.",
  importance: 'vital',
  every: '10s',
  timeout: '5s',
  needs: [],
  touches: { peers: true, commands: TIME_COMMANDS },
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
    const measured = host.peerOffsets().filter(({ offsetMs, errorMs }) => isPlausible(offsetMs) && isPlausible(errorMs))
    const offsets = measured.length < minPeers ? [] : [medianOffset(measured)]
    const sync = await timeSync(host, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      // Of a daemon that answers nonsense time-daemon tells; what the peers say counts without it.
      if (offsets.length === 0) throw error
      return undefined
    })
    if (sync?.offset !== undefined) {
      const { ms, errorMs, reference } = sync.offset
      offsets.push({ against: `the reference ${reference} of ${sync.by}`, ms, errorMs, peers: 0 })
    }
    if (offsets.length === 0) {
      throw new NotApplicable(
        `${counted(measured.length, 'peer has', 'peers have')} been measured, and it takes ${minPeers}; no time daemon knows a reference`,
      )
    }
    return offsets
  },

  judge(offsets, { warn, alarm, error }) {
    // Within its error the clock is right as far as can be measured that way.
    const wrong = offsets.filter(({ ms, errorMs }) => Math.abs(ms) > errorMs)
    const worst = wrong.toSorted((a, b) => Math.abs(b.ms) - Math.abs(a.ms))[0]
    if (worst === undefined) return []
    const { against, ms, errorMs, peers } = worst
    const direction = ms > 0 ? 'behind' : 'ahead of'
    const summary = `this clock is ${Math.round(Math.abs(ms))} ms ${direction} ${against}, give or take ${Math.ceil(errorMs)} ms`
    const levels = [
      { reason: 'ClockSkewed', limitMs: durationMs(warn) },
      { reason: 'ClockFarOff', limitMs: durationMs(alarm) },
      { reason: 'ClockUnusable', limitMs: durationMs(error) },
    ] as const
    return levels
      .filter(({ limitMs }) => Math.abs(ms) > limitMs)
      .map(({ reason, limitMs }) => ({
        reason,
        summary,
        evidence: [
          { name: 'offset', value: Math.round(ms), limit: limitMs, unit: 'ms' },
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
  const errorMs = Math.max(medianMs - low, high - medianMs)
  return { against: `the median of ${offsets.length} peers`, ms: medianMs, errorMs, peers: offsets.length }
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
