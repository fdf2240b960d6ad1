/** One who reads a log as it grows, and gives what it reads to a sink. */
export interface Follower {
  /** Resolves when all that is in the log now has been given away. Rejects with an Error when the log cannot be read. */
  catchUp(signal: AbortSignal): Promise<void>
  close(): void
}
