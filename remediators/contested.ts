/**
 * Somebody else sets back what was mended. Two writers of one value take turns for ever, so after the second time it is left
 * alone until a person has found out who it is. Pure.
 */
import type { Plan } from './contract.ts'
import { ownerOf } from './kernel/owners.ts'
import type { Contest, MendedValue } from './state.ts'

/** Two fixes of the same value, each undone within this time after it was verified. */
export const UNDONE_TIMES = 2
export const UNDONE_WITHIN_MS = 3_600_000

/** About one node, whatever its faults are; those that were mended longest ago go first. */
export const MENDED_MAX = 200
/** Of the phase that it becomes (schema.ts). */
const WHY_LENGTH_MAX = 1_000

/**
 * `mended` with what `plan` changed, whose fix is verified at `nowMs`. `cameMs`: when the fault came that it was for; null where
 * nobody saw it come, as over a restart, which can be what set it back: that counts neither for nor against.
 */
export function withMended(
  mended: readonly MendedValue[],
  { changes }: Plan,
  cameMs: number | null,
  nowMs: number,
): readonly MendedValue[] {
  const fresh = changes.map(({ what, before }): MendedValue => {
    const known = mended.find((one) => one.what === what && one.before === before)
    return { what, before, verifiedMs: nowMs, setBack: known === undefined ? 0 : timesBy(known, cameMs, nowMs) }
  })
  const others = mended.filter((one) => !fresh.some(({ what, before }) => one.what === what && one.before === before))
  return [...others, ...fresh].slice(-MENDED_MAX)
}

/**
 * Why `plan` must not be carried out again: a value of it was set back once more to what it was before it was mended. Null when
 * nothing speaks against it. `cameMs`: when the fault came that it is for, so that the answer stays the same while it lasts.
 */
export function contested(
  mended: readonly MendedValue[],
  plan: Plan,
  cameMs: number | null,
  wall: string,
): Contest | null {
  for (const { what, before } of plan.changes) {
    const known = mended.find((one) => one.what === what && one.before === before)
    if (known === undefined || cameMs === null || !wasUndone(known, cameMs)) continue
    if (known.setBack + 1 < UNDONE_TIMES) continue
    const why = `contested: twice within an hour after it was mended something else has set back ${what} to ${before}; it is left alone until the fault is gone, look for ${whoElse(what)}`
    return { what, why: why.slice(0, WHY_LENGTH_MAX), since: wall }
  }
  return null
}

function timesBy(known: MendedValue, cameMs: number | null, nowMs: number): number {
  if (cameMs === null || cameMs < known.verifiedMs)
    return nowMs - known.verifiedMs <= UNDONE_WITHIN_MS ? known.setBack : 0
  return wasUndone(known, cameMs) ? known.setBack + 1 : 0
}

function wasUndone({ verifiedMs }: MendedValue, cameMs: number): boolean {
  return cameMs >= verifiedMs && cameMs - verifiedMs <= UNDONE_WITHIN_MS
}

function whoElse(what: string): string {
  const owner = ownerOf(what)
  const others = 'tuned, a configuration manager, or a unit that runs at intervals'
  return owner === undefined ? others : `${owner.who} (${owner.setting}), ${others}`
}
