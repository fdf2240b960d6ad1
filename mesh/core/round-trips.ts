/**
 * How an edge's beats fared lately: how long their answers took, and how many were lost on the way. TCP hides a lost
 * packet behind a retransmission, so a beat counts as lost when its answer took as much longer, or never came.
 */
import type { Millis } from './model.ts'

/** A minute of beats. */
const BEATS_KEPT = 60
/** Without an answer for this long a beat is lost; before, it may still be on its way. */
const ANSWERED_WITHIN_MS = 2_000
/** The least that Linux waits before it sends a packet again (TCP_RTO_MIN, include/net/tcp.h). */
const RETRANSMISSION_MS = 200

export interface LinkQuality {
  /** Beats that it is known from: those that were answered, or are lost. */
  readonly beats: number
  readonly lost: number
  /** Of the answers that took no retransmission, so that loss is not taken for latency. */
  readonly medianMs: Millis
  readonly p95Ms: Millis
  /** When the last beat was sent. */
  readonly atMs: Millis
}

interface Beat {
  readonly seq: number
  readonly atMs: Millis
  rttMs: Millis | undefined
}

export class RoundTrips {
  #beats: Beat[] = []

  asked(seq: number, now: Millis): void {
    this.#beats.push({ seq, atMs: now, rttMs: undefined })
    if (this.#beats.length > BEATS_KEPT) this.#beats.shift()
  }

  answered(seq: number, rttMs: Millis): void {
    const beat = this.#beats.findLast((one) => one.seq === seq)
    if (beat !== undefined) beat.rttMs = rttMs
  }

  /** This process was paused: whatever was not answered, or late, is its own doing. */
  forgetOpen(): void {
    this.#beats = this.#beats.filter(({ rttMs }) => rttMs !== undefined)
  }

  /** Undefined while no beat was answered. */
  quality(now: Millis): LinkQuality | undefined {
    const known = this.#beats.filter(({ rttMs, atMs }) => rttMs !== undefined || now - atMs >= ANSWERED_WITHIN_MS)
    const times = known.flatMap(({ rttMs }) => rttMs ?? []).toSorted((a, b) => a - b)
    const fastest = at(times, 0)
    const last = this.#beats.at(-1)
    if (fastest === undefined || last === undefined) return undefined
    // Against the fastest, which no retransmission delayed, however many packets are lost.
    const intact = times.filter((ms) => ms < fastest + RETRANSMISSION_MS)
    const [medianMs, p95Ms] = [at(intact, 0.5) ?? fastest, at(intact, 0.95) ?? fastest]
    return { beats: known.length, lost: known.length - intact.length, medianMs, p95Ms, atMs: last.atMs }
  }
}

/** The value that a share of the sorted ones is below. */
function at(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
