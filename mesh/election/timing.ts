/** The durations of the election, ms (docs/protocol.md sections 6 and 10). */
import type { Millis } from '../core/model.ts'

export interface ElectionTiming {
  /** A record that has not changed for this long, by the reader's own clock, is nobody's any more. */
  readonly leaseMs: Millis
  /** The leader renews this long after it sent the renewal before. */
  readonly renewMs: Millis
  /** A request to the API server that has not ended by then has failed. It may be carried out all the same. */
  readonly requestMs: Millis
  /** Until so long after the last renewal was sent something may be written. */
  readonly writeMs: Millis
  /** Who stands by reads the Lease this often. */
  readonly readMs: Millis
  /** After a request that failed. */
  readonly retryMs: Millis
  /** Who stands by knocks at the leader's port this often, and at least twice as often once nobody has opened. */
  readonly knockMs: Millis
  /** A port that has refused for this long is that of a process that is gone. */
  readonly goneMs: Millis
  /** After a canvass that reached too few, or lost against another; up to half as much more by chance. */
  readonly canvassRetryMs: Millis
  /** Before a canvass, up to this much by chance: two that stand by must not be in step. */
  readonly spreadMs: Millis
  /** After a gap in its readings a reader gives the holder this long to renew. */
  readonly graceMs: Millis
}

export const ELECTION_TIMING: ElectionTiming = {
  leaseMs: 8_000,
  renewMs: 2_000,
  requestMs: 2_000,
  writeMs: 5_000,
  readMs: 1_000,
  retryMs: 500,
  knockMs: 1_000,
  goneMs: 2_000,
  canvassRetryMs: 2_000,
  spreadMs: 250,
  graceMs: 3_000,
}

/**
 * What was sent within the write window has ended by then, for whoever sent it: the Lease outlives the window by this much,
 * and one that is given up is kept for as long.
 */
export function drainMs({ leaseMs, writeMs }: ElectionTiming): Millis {
  return leaseMs - writeMs
}
