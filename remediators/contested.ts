/**
 * Somebody else sets back what was mended. Two writers of one value take turns for ever, so after the second time it is left
 * alone until a person has found out who it is. Pure.
 */

import type { Plan } from './contract.ts'
import { ownerOf } from './kernel/owners.ts'

/** A fix that was verified, by the clock that the caller keeps; monotonic, ms. */
export interface VerifiedFix {
  readonly planId: string
  /** When its fault was first seen by this node, before the fix. */
  readonly faultSinceMs: number
  readonly verifiedMs: number
}

/** Two fixes of the same, each undone within this time after it was verified. */
export const UNDONE_TIMES = 2
export const UNDONE_WITHIN_MS = 3_600_000

/**
 * Why `plan` must not be carried out again, one sentence that says what to look for; null when nothing speaks against it. The
 * id of a plan is made of its changes, before-values included, so the same id means the same value set back. `verified` holds
 * the fixes of this node, in any order; `faultSinceMs` is when the fault that `plan` is for was first seen, so that the
 * answer stays the same for as long as the fault lasts.
 */
export function contested(verified: readonly VerifiedFix[], plan: Plan, faultSinceMs: number): string | null {
  const mended = verified.filter(({ planId }) => planId === plan.id).toSorted((a, b) => b.verifiedMs - a.verifiedMs)
  let cameBackMs = faultSinceMs
  for (let times = 0; times < UNDONE_TIMES; times++) {
    const fix = mended[times]
    if (fix === undefined || cameBackMs - fix.verifiedMs > UNDONE_WITHIN_MS) return null
    cameBackMs = fix.faultSinceMs
  }
  const values = plan.changes.map(({ what, before }) => `${what} to ${before}`).join(', ')
  return `contested: twice within an hour after it was mended something else has set back ${values}; it is left alone, look for ${whoElse(plan)}`.slice(
    0,
    WHY_LENGTH_MAX,
  )
}

/** Of the phase that it becomes (schema.ts). */
const WHY_LENGTH_MAX = 1_000

function whoElse({ changes }: Plan): string {
  const owners = changes.flatMap(({ what }) => ownerOf(what) ?? [])
  const known = owners.map(({ who, setting }) => `${who} (${setting})`)
  return [...new Set(known), 'tuned, a configuration manager, or a unit that runs at intervals'].join(', ')
}
