/** Moments of the calendar as Kubernetes writes them: RFC 3339 in whole seconds. For people, never to decide by. */

/** Our condition holds for a day, and is written again when half of that is over: writes are few. */
const HOLDS_MS = 86_400_000

export interface Times {
  readonly now: string
  /** Until when what is written now holds; and what holds no longer than that is written again. */
  readonly until: string
  readonly renewal: string
}

export function timesAt(wallMs: number): Times {
  return { now: timeOf(wallMs), until: timeOf(wallMs + HOLDS_MS), renewal: timeOf(wallMs + HOLDS_MS / 2) }
}

function timeOf(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`
}
