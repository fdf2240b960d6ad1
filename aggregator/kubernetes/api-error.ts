/** What can go wrong with a request to an API server, told apart by what one does about it. */

/**
 * `conflict`: somebody wrote first (409). `throttled`: asked to come back later (429, or any reply with Retry-After).
 * `timeout`, `unreachable`: no answer in time, or no line. `refused`: any other 4xx.
 */
export type ApiErrorKind =
  | 'conflict'
  | 'not-found'
  | 'forbidden'
  | 'throttled'
  | 'refused'
  | 'server'
  | 'timeout'
  | 'unreachable'

const PAUSE_MS = 2_000
const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 30_000

export class ApiError extends Error {
  override name = 'ApiError'
  readonly kind: ApiErrorKind
  /** HTTP status; 0 when there was no reply. */
  readonly code: number
  /** How long the server asked to be left alone, ms; undefined when it did not. */
  readonly retryAfterMs: number | undefined

  constructor(kind: ApiErrorKind, code: number, message: string, retryAfterMs?: number) {
    super(message)
    this.kind = kind
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** Without an answer nobody knows: a line may break when the server has done what it was asked. */
export function mayBeCarriedOut(kind: ApiErrorKind): boolean {
  return kind === 'timeout' || kind === 'unreachable' || kind === 'server'
}

/** For how long to leave a server alone that asks for it, ms: within reason, so that one that says "0" is not stormed. */
export function pauseOf({ retryAfterMs = PAUSE_MS }: ApiError): number {
  return Math.min(Math.max(retryAfterMs, PAUSE_MS_MIN), PAUSE_MS_MAX)
}

/** The error that a reply with this status is. `retryAfter`: the header, in seconds, when there is one. */
export function errorOfReply(code: number, message: string, retryAfter: string | undefined): ApiError {
  const seconds = Number(retryAfter)
  const retryAfterMs = retryAfter !== undefined && Number.isFinite(seconds) ? seconds * 1_000 : undefined
  return new ApiError(kindOf(code, retryAfterMs), code, message, retryAfterMs)
}

function kindOf(code: number, retryAfterMs: number | undefined): ApiErrorKind {
  if (code === 429 || retryAfterMs !== undefined) return 'throttled'
  if (code === 409) return 'conflict'
  if (code === 404) return 'not-found'
  if (code === 401 || code === 403) return 'forbidden'
  return code >= 500 ? 'server' : 'refused'
}
