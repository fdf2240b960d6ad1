/**
 * History, as people look back at it: events, inspections and hourly figures, for as long as is wanted. Two adapters behind
 * one conformance suite: SQLite beside the journal, and PostgreSQL, which several aggregators share. Nothing that is marked,
 * elected or permitted waits for it.
 */

import type { HourOfMeasures } from '../../inspection/measures.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import type { Event, EventQuery, StoredEvent } from '../event-model.ts'

export interface HistoryQuery extends EventQuery {
  /** RFC 3339: not before, and before. */
  readonly from?: string
  readonly until?: string
  readonly tones?: readonly Event['tone'][]
}

export interface MeasuresQuery {
  readonly nodes?: readonly string[]
  /** RFC 3339: hours that begin not before, and before. */
  readonly from: string
  readonly until: string
}

/** How long what is kept, days; 0 keeps it for ever. */
export interface Retention {
  readonly events: number
  readonly measures: number
  readonly inspections: number
}

/** What is known of a run without its details. */
export type InspectionHead = Omit<InspectionRun, 'troubles' | 'silent'>

/** Every method rejects with an Error when the database cannot be reached or written; nothing of that call is kept then. */
export interface History {
  /** Appends those whose id is not there yet, in this order, and resolves with them. They survive kill -9 from then on. */
  append(events: readonly Event[]): Promise<readonly StoredEvent[]>
  query(query: HistoryQuery): Promise<readonly StoredEvent[]>
  byId(id: string): Promise<StoredEvent | null>
  /** A later average of the same node and hour takes the place of an earlier one. */
  keepMeasures(hours: readonly HourOfMeasures[]): Promise<void>
  /** By node, then hour. */
  measures(query: MeasuresQuery): Promise<readonly HourOfMeasures[]>
  /** The same id again changes nothing. */
  keepInspection(run: InspectionRun): Promise<void>
  /** The newest first. */
  inspections(limit: number, profile?: string): Promise<readonly InspectionHead[]>
  inspection(id: string): Promise<InspectionRun | null>
  /** Lets go of what is older than `keep` says at `now` (RFC 3339). */
  retain(now: string, keep: Retention): Promise<void>
  close(): Promise<void>
}
