/** Where alerts go. One port, and a file for each kind beside it. */
import type { Notification } from '../alerting/model.ts'

export interface Sink {
  /** Resolves once the other side has taken it. Rejects with SinkError, or any other error that may pass. */
  notify(notification: Notification, signal: AbortSignal): Promise<void>
  /** Forgets what it is not told again within some times of this, ms; undefined: it remembers. */
  readonly keepEveryMs?: number
}

/** A sink did not take a notification. Its message holds no secret. */
export class SinkError extends Error {
  override readonly name = 'SinkError'
  /** It would not take this one later either. */
  readonly isFinal: boolean
  /** When it asked to be left alone, ms. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    { isFinal = false, retryAfterMs }: { isFinal?: boolean; retryAfterMs?: number | undefined } = {},
  ) {
    super(message)
    this.isFinal = isFinal
    this.retryAfterMs = retryAfterMs
  }
}
