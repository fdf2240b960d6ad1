/** When the engine has something to do next, so that virtual time need not pass second by second. */
import { BEGIN_WITHIN_MS } from '../../remediators/permits.ts'
import type { Fix, FixState } from '../../remediators/state.ts'

const TICK_MS = 1_000
/** What may be cut off is looked at this often, and what waits for a window. */
const LOOK_MS = 60_000
const WINDOW_MS = 300_000

/** Infinity when it has nothing to do until it is told something. */
export function dueInMs({ fixes }: FixState, nowMs: number): number {
  const due = Math.min(...fixes.map((fix) => dueAt(fix, nowMs)))
  return due === Number.POSITIVE_INFINITY ? due : Math.max(TICK_MS, due - nowMs)
}

function dueAt({ stage, remediation: { mode, phase } }: Fix, nowMs: number): number {
  switch (stage.kind) {
    case 'waiting': {
      const isReady = stage.confirmed && (mode === 'auto' || stage.approval !== null)
      const expires = stage.approval?.expiresMs ?? Number.POSITIVE_INFINITY
      if (!isReady) return expires
      const next = Math.min(stage.notBeforeMs, stage.aloneAtMs ?? Number.POSITIVE_INFINITY)
      const look = nowMs + (phase === 'awaiting-window' ? WINDOW_MS : LOOK_MS)
      return Math.min(next > nowMs ? next : look, look, expires)
    }
    case 'asking':
      return stage.askedMs + BEGIN_WITHIN_MS + 1
    case 'permitted':
      return stage.beginByMs + 1
    case 'verifying':
      return stage.retryAtMs ?? Number.POSITIVE_INFINITY
    default:
      return Number.POSITIVE_INFINITY
  }
}
