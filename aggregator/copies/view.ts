/** Where else there is what this aggregator has put on record. */

export interface CopiesView {
  /**
   * The other aggregators of the roster, which are given every event; `PostgreSQL` where they share one. Empty: there is one
   * alone, and no second copy.
   */
  readonly others: readonly string[]
  /** Events that none of them has yet, at this moment. */
  readonly behind: number
  /** Whether they were alone for longer than a moment; false while no second copy is to be expected. */
  readonly isSingle: boolean
}
