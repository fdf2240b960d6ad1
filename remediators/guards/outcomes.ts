/** What the ends of earlier fixes mean to guards. */
import type { Plan } from '../contract.ts'
import type { EndedFix } from './view.ts'

/** A person is needed: what was changed could not be put back, or nothing is left to try. */
const GRAVE: ReadonlySet<string> = new Set(['revert-failed', 'escalated'])
const FAILED: ReadonlySet<string> = new Set([...GRAVE, 'no-effect', 'failed', 'reverted'])

export function isGrave({ phase }: EndedFix): boolean {
  return GRAVE.has(phase)
}

/** It did not mend the fault, whether or not it was put back. */
export function hasFailed({ phase }: EndedFix): boolean {
  return FAILED.has(phase)
}

/** Something was changed: a plan that was turned down or withdrawn before was no attempt. */
export function wasCarriedOut(fix: EndedFix): boolean {
  return fix.phase === 'verified' || hasFailed(fix)
}

export function isSameFault(fix: EndedFix, { node, reason, cause }: Plan): boolean {
  return fix.node === node && fix.reason === reason && fix.cause === cause
}
