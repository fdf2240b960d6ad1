/**
 * History, as people look back at it: events, inspections and hourly figures, for as long as is wanted. Two adapters behind
 * one conformance suite: SQLite beside the journal, and PostgreSQL, which several aggregators share. Nothing that is marked,
 * elected or permitted waits for it.
 */

import type { HourOfMeasures, Measures } from '../../inspection/measures.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import type { HeadSigner } from '../audit/head.ts'
import type { Event, EventKind, EventQuery, StoredEvent } from '../event-model.ts'

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

/** How many events of a kind and tone there were; `day` is in UTC, as 2026-01-31. Kept for longer than the events are. */
export interface DayOfEvents {
  readonly day: string
  readonly kind: EventKind
  readonly tone: Event['tone']
  readonly events: number
}

/** Averages of a node over a day, made of its hours. */
export interface DayOfMeasures {
  readonly node: string
  readonly day: string
  readonly averages: Measures
  /** The highest average of an hour. */
  readonly peaks: Measures
}

/** How long what is kept, days; 0 keeps it for ever. */
export interface Retention {
  readonly events: number
  readonly measures: number
  readonly inspections: number
  /** Events from this place on stay, however old. */
  readonly eventsFrom?: number
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
  /** By node, then day. */
  dailyMeasures(query: MeasuresQuery): Promise<readonly DayOfMeasures[]>
  /** Whole days from `from` on and before `until` (RFC 3339), by day. */
  eventsByDay(from: string, until: string): Promise<readonly DayOfEvents[]>
  /** The same id again changes nothing. */
  keepInspection(run: InspectionRun): Promise<void>
  /** The newest first. */
  inspections(limit: number, profile?: string): Promise<readonly InspectionHead[]>
  inspection(id: string): Promise<InspectionRun | null>
  /**
   * Lets go of what is older than `keep` says at `now` (RFC 3339), in small steps between which others are served. The newest
   * event always stays. The signer vouches for where the chain begins then.
   */
  retain(now: string, keep: Retention, signer: HeadSigner): Promise<void>
  close(): Promise<void>
}
