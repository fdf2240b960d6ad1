/** What is needed of a history to check it: its links in their order, and the heads that were signed. */
import type { ChainedRow } from './chain.ts'
import type { HeadSigner, SignedHead } from './head.ts'

/** What the links and heads must fit. */
export interface TrailFrame {
  /** Place of the first event of the chain. */
  readonly first: number
  /** Hash of the event before it, once older ones were let go; the chain's root, or absent, while none was. */
  readonly before?: string
  /** Events from before there was a chain: kept, and covered by nothing. */
  readonly earlier: number
  /** The last place that was ever given to an event, and to a head. */
  readonly given: number
  readonly heads: number
}

type Awaitable<T> = T | Promise<T>

/** One page of at most `TRAIL_PAGE` rows or heads after a place or number, lowest first. Each may take its time. */
export interface Trail {
  frame(): Awaitable<TrailFrame>
  rows(after: number): Awaitable<readonly ChainedRow[]>
  signed(after: number): Awaitable<readonly SignedHead[]>
}

export const TRAIL_PAGE = 1_000

/** The trail of a store that is written, on this machine's own disk. */
export interface SealedTrail extends Trail {
  frame(): TrailFrame
  rows(after: number): readonly ChainedRow[]
  signed(after: number): readonly SignedHead[]
  /** How many events no signed head covers yet. */
  unsealed(): number
  /**
   * Signs the end of the chain, unless that is done. Throws an Error, having signed nothing, when the last head no longer
   * fits the events that it was signed for.
   */
  seal(signer: HeadSigner): SignedHead | undefined
  /**
   * The chain begins at `place` from now on, as a new head says: what is before it may be deleted. Throws an Error, having
   * changed nothing, when the chain does not reach so far, or as `seal` does.
   */
  cut(signer: HeadSigner, place: number): void
}
