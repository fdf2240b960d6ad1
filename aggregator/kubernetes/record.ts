/** What the marker has put on record: events, each caused by the verdict or finding behind it, and figures. */
import type { Standing } from '../../mesh/core/model.ts'
import type { ApiErrorKind } from './api-error.ts'
import type { Written } from './carry-out.ts'
import type { Desired } from './marking/desired.ts'

export interface KnownVerdict {
  readonly standing: Standing
  /** Monotonic: when it was committed, or taken over; and since when its node had been silent by then. */
  readonly sinceMs: number
  readonly silentSinceMs: number
  /** For people, as "8 of 10 observers agree". */
  readonly says: string
}

/** A node with what stands against it; none of both when marks are undone for which nothing stands any more. */
export interface MarkCause {
  readonly node: string
  readonly verdict: KnownVerdict | undefined
  readonly desired: Desired
}

export interface MarkRecord {
  /** Durable when it returns: the first patch follows. */
  marking(cause: MarkCause): void
  wrote(cause: MarkCause, written: Written): void
  wouldMark(cause: MarkCause): void
  withheld(cause: MarkCause, why: string): void
  /** Kubernetes' own rules hold a node for not Ready that has a verdict. */
  markedByOthers(cause: MarkCause): void
  failed(kind: ApiErrorKind): void
}
