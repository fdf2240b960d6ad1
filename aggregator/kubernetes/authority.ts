/** Who may write to the API server, asked right before each write: a Lease is no fencing token (docs/protocol.md section 6). */

/** When this leader renewed its own Lease, told apart by the server's resourceVersions and not by anybody's clock. */
export interface Renewals {
  /**
   * resourceVersion of the leader's own first Lease renewal after `ms` (monotonic). Undefined: none since.
   * What has a resourceVersion greater than that was written after that moment.
   */
  firstSince(ms: number): string | undefined
}

export interface Authority {
  /** Of this leadership; in every mark, so that a later leader can tell its own from those of others. */
  readonly term: number
  readonly renewals: Renewals
  /** True only while this process leads and renewed its Lease less than 5 s ago. */
  mayWrite(): boolean
}
