/**
 * What a plan came to the times before. Made anew it has the same id, and whoever was cut off as it ended hears no more than
 * the newest word of it: so that word carries how it ended before. Pure.
 */
import type { EarlierEnd, Remediation } from './contract.ts'

/** More than any guard lets be done of one plan within a day (attempts, 5 by default), and small enough to be gossiped. */
export const EARLIER_MAX = 8

/** It was carried out, and this came of it. */
export function isOutcome({ phase, ended }: Pick<Remediation, 'phase' | 'ended'>): boolean {
  switch (phase) {
    case 'verified':
    case 'reverted':
    case 'revert-failed':
    case 'escalated':
      return true
    // What can be put back is not over yet.
    case 'no-effect':
      return ended === true
    default:
      return false
  }
}

/** For the word that supersedes `last`, which is of the same plan. */
export function earlierOf(last: Remediation | undefined): readonly EarlierEnd[] {
  if (last === undefined) return []
  const { plan, phase, at, earlier = [] } = last
  if (!isOutcome(last)) return earlier
  const { createdAt: plannedAt, reason, cause } = plan
  return [...earlier, { plannedAt, reason, cause, phase, at }].slice(-EARLIER_MAX)
}
