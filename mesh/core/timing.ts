/**
 * Every duration of the protocol, in ms, with where it comes from. One object, passed in, so that a simulation or an
 * experiment can change a value and nothing else. Cross-field bounds are checked once, by `checkTiming`.
 */
import type { Millis } from './model.ts'

export interface Timing {
  /** Time between two probes on an edge, and its relative jitter, which keeps observers of one subject out of step. */
  readonly beatMs: Millis
  readonly beatJitter: number
  /** A probe unanswered for this long is late. On a 2-core machine the ack's p99 is 2-20 ms, so 300 leaves room. */
  readonly lateMs: Millis
  /** What a late edge sends at once: probes on one TCP stream are one piece of evidence however many there are. */
  readonly burstProbes: number
  readonly burstEveryMs: Millis
  /** No ack for this long after an edge was first in doubt: it is silent. Covers one burst. */
  readonly silentMs: Millis
  /**
   * NodeDown is not said sooner than this after the first unanswered probe: a host that pauses for up to 1.2 s, as for a
   * live migration, is not dead (docs/protocol.md section 8).
   */
  readonly nodeDownMs: Millis
  /** An observer votes only on an edge that has acked this many beats: a stranger has nothing to say. */
  readonly beatsBeforeVote: number
  /** A silent edge is aborted after this long: with RTO back-off an open stream takes up to 18 s to heal (measured). */
  readonly abortMs: Millis
  readonly redialMinMs: Millis
  readonly redialMaxMs: Millis
  /** The same for a subject that is on the down list. */
  readonly redialDownMinMs: Millis
  readonly redialDownMaxMs: Millis
  /** A dial that has not ended by then has failed, whatever the one who dials says. The adapter gives up after 2 s. */
  readonly dialMaxMs: Millis
  /** The first redial of an edge that broke unexpectedly: mostly the peer hung up on us or restarted. */
  readonly redialFirstMs: Millis
  /** While an edge is silent the host is asked again this often. */
  readonly askEveryMs: Millis
  /** An ask that has not ended by then has failed. The adapter answers within 3.1 s. */
  readonly askMaxMs: Millis
  /** One full second-channel handshake this often while all is well, jittered by a fifth. */
  readonly calibrateEveryMs: Millis
  /** A path that has not answered for this long is not calibrated: its silence proves nothing. */
  readonly calibratedForMs: Millis
  /** An agent silent for this long on a host that answers is AgentDown. */
  readonly agentDownMs: Millis
  /**
   * HostHung is decided when every fit observer has had no answer for this long (without Kubernetes' Lease). With the
   * roll-call it comes within 25 s.
   */
  readonly hostHungMs: Millis
  /** The same where the kubelet's Lease can be read, and was not renewed since. */
  readonly hostHungLeaseMs: Millis
  /** A standing accusation is said again this often: what is old or second-hand never counts as a vote. */
  readonly repeatMs: Millis
  /** How long an accusation counts after it was heard. */
  readonly accusationTtlMs: Millis
  /** An announcement, and the down list, are said again at a third of their lifetime, so that one loss is no gap. */
  readonly announcementTtlMs: Millis
  readonly downNoticeTtlMs: Millis
  /** How long a roll-call is open. */
  readonly rollCallMs: Millis
  /** Answers and presence bits flow back in batches this far apart. */
  readonly rollCallBatchMs: Millis
  /** A roll-call that did not carry is repeated no sooner than this. At most 2 roll-calls a second. */
  readonly rollCallRetryMs: Millis
  /** Without anything to ask the leader calls the roll this often: it tells the way up, and whom it reaches. */
  readonly rollCallEveryMs: Millis
  /** How long a commit waits for the reading of a Lease; then it is unknown. Twice a slow API server's answer. */
  readonly heartbeatReadMs: Millis
  /** Beats of renewed acks before a subject that had a verdict is called alive again. */
  readonly recoverBeats: number
  /** A timer this late means that this process was paused: it must not blame others for its own absence. */
  readonly pauseMs: Millis
  /** A timer that is late by this much hurts this node's own work. */
  readonly strainMs: Millis
  /** Beats of strain after which an observer holds itself unfit, and of calm after which it is fit again. */
  readonly degradedAfterBeats: number
  readonly fitAfterBeats: number
  /** While a node is on leave its host must have been silent for this long to be called down. */
  readonly leaveDownMs: Millis
  /** What is known is compared with a random neighbour this often. */
  readonly digestEveryMs: Millis
}

export const DEFAULT_TIMING: Timing = {
  beatMs: 1_000,
  beatJitter: 0.1,
  lateMs: 300,
  burstProbes: 5,
  burstEveryMs: 100,
  silentMs: 500,
  nodeDownMs: 1_300,
  beatsBeforeVote: 5,
  abortMs: 3_000,
  redialMinMs: 2_000,
  redialMaxMs: 4_000,
  redialDownMinMs: 4_000,
  redialDownMaxMs: 30_000,
  dialMaxMs: 5_000,
  redialFirstMs: 200,
  askEveryMs: 1_000,
  askMaxMs: 5_000,
  calibrateEveryMs: 60_000,
  calibratedForMs: 300_000,
  agentDownMs: 3_000,
  hostHungMs: 24_500,
  hostHungLeaseMs: 10_000,
  repeatMs: 5_000,
  accusationTtlMs: 12_000,
  announcementTtlMs: 1_800_000,
  downNoticeTtlMs: 180_000,
  rollCallMs: 300,
  rollCallBatchMs: 20,
  rollCallRetryMs: 1_000,
  rollCallEveryMs: 5_000,
  heartbeatReadMs: 2_000,
  recoverBeats: 3,
  pauseMs: 500,
  strainMs: 200,
  degradedAfterBeats: 2,
  fitAfterBeats: 5,
  leaveDownMs: 10_000,
  digestEveryMs: 10_000,
}

/**
 * The earlier of two times, of which the second counts only if it is later than `after`. Asked at every step, so it makes
 * nothing new.
 */
export function earlier(after: Millis, first: Millis, second: Millis): Millis {
  return second > after && second < first ? second : first
}

/** Throws RangeError for a set of durations under which the rules would contradict each other. */
export function checkTiming(timing: Timing): void {
  const rules: [boolean, string][] = [
    [timing.lateMs < timing.beatMs, 'lateMs must be below beatMs, or beats overlap'],
    [
      timing.burstProbes * timing.burstEveryMs <= timing.silentMs,
      'a burst (burstProbes × burstEveryMs) must fit into silentMs',
    ],
    [timing.silentMs <= timing.nodeDownMs, 'nodeDownMs must not be below silentMs'],
    [timing.silentMs < timing.abortMs, 'silentMs must be below abortMs, or an edge is cut before it is judged'],
    [timing.repeatMs * 2 < timing.accusationTtlMs, 'accusationTtlMs must outlive two repeats (repeatMs)'],
    [timing.agentDownMs < timing.hostHungMs, 'agentDownMs must be below hostHungMs'],
    [timing.calibrateEveryMs * 2 < timing.calibratedForMs, 'calibratedForMs must outlive two calibrations'],
  ]
  for (const [holds, rule] of rules) if (!holds) throw new RangeError(`timing: ${rule}`)
}
