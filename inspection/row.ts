/**
 * What one node says of itself when it is asked: its own row of an inspection. It is signed by the node itself for this
 * question alone, so that whoever hands it on can neither change it nor use it again.
 */
import type { Measures } from './measures.ts'

/** As a Finding's status, without what reports do not tell apart. */
export type RowStatus = 'ok' | 'info' | 'warn' | 'alarm' | 'error' | 'unknown' | 'not-applicable'

export interface RowFinding {
  readonly detector: string
  readonly status: Exclude<RowStatus, 'ok'>
  readonly reason: string
  readonly summary: string
}

export interface SummaryRow {
  readonly node: string
  /** RFC 3339, by the node's own clock. */
  readonly at: string
  /** Detectors that looked and found nothing wrong. */
  readonly fine: readonly string[]
  /** The worst of each detector that found something, or could not look. */
  readonly findings: readonly RowFinding[]
  /** Averages over the last minute. */
  readonly measures: Measures
  /** Detectors that did not look anew, and had not within a minute: seconds since they did. Not given for none. */
  readonly older?: Readonly<Record<string, number>>
}
