/** Short names made of what they name. */
import { createHash } from 'node:crypto'
import type { Plan } from '../../../../remediators/contract.ts'
import type { RemediationObject } from './object.ts'

/** 128 bits: nobody finds two proposals with one name. */
const HEX_DIGITS = 32

/**
 * One proposal of a plan. What is planned anew, after it was done or rejected, has the same content; a decision on it must
 * not count again, so the time is part of it.
 */
export function proposalOf({ id, planHash, evidenceHash, createdAt }: Plan): string {
  return hashOf([id, planHash, evidenceHash, createdAt])
}

/**
 * The id of what an object decides: the same for whoever reads it, and however often. A node uses each id once, so a
 * decision that two leaders send is carried out once.
 */
export function decisionIdOf({ metadata: { uid, generation } }: RemediationObject): string {
  return `decision-${hashOf([uid, String(generation)])}`
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, HEX_DIGITS)
}
