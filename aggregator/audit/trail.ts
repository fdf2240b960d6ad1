/** What is needed of a history to check it: its links in their order, and the heads that were signed. */
import type { ChainedRow } from './chain.ts'
import type { HeadSigner, SignedHead } from './head.ts'

/** What the links and heads must fit. */
export interface TrailFrame {
  /** Place of the first event of the chain. */
  readonly first: number
  /** Events from before there was a chain: kept, and covered by nothing. */
  readonly earlier: number
  /** The last place that was ever given to an event, and to a head. */
  readonly given: number
  readonly heads: number
}

/** One page of at most `TRAIL_PAGE` rows or heads after a place or number, lowest first. */
export interface Trail {
  frame(): TrailFrame
  rows(after: number): readonly ChainedRow[]
  signed(after: number): readonly SignedHead[]
}

export const TRAIL_PAGE = 1_000

/** The trail of a store that is written. */
export interface SealedTrail extends Trail {
  /** How many events no signed head covers yet. */
  unsealed(): number
  /**
   * Signs the end of the chain, unless that is done. Throws an Error, having signed nothing, when the last head no longer
   * fits the events that it was signed for.
   */
  seal(signer: HeadSigner): SignedHead | undefined
}
