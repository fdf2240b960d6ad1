/** Makes a plan of changes, and the fingerprints by which people, decisions and nodes mean the very same plan. */
import { createHash } from 'node:crypto'
import { encode } from 'cborg'
import type { Finding, Measure } from '../detectors/contract.ts'
import type { Change, Plan, Remediator } from './contract.ts'

/** Enough of the hash that no two plans of a mesh share an id; short enough to be read out. */
const ID_HEX_DIGITS = 20

/** What `remediator` would do about `finding`, said at `createdAt` (RFC 3339). */
export function makePlan(
  remediator: Pick<Remediator, 'name' | 'reach' | 'risk'>,
  finding: Finding,
  changes: readonly Change[],
  createdAt: string,
): Plan {
  const { node, detector, reason, cause } = finding
  const content = { node, remediator: remediator.name, detector, reason, cause, changes: changes.map(plainChange) }
  const { reach, risk } = remediator
  return {
    id: planIdOf(content),
    ...content,
    findingId: finding.id,
    reach,
    risk,
    planHash: hashOf({ ...content, reach, risk }),
    evidenceHash: hashEvidence(finding.evidence),
    createdAt,
  }
}

/**
 * The id of a plan, from whose it is, by what and of what. Lower case letters and digits: it is also the name of a
 * Kubernetes object. What it is for is left out, so that two faults that ask for the same changes have one plan between them: a
 * service that is down by two detectors is restarted once. Decisions and permits name the plan's hash, where reason and cause
 * are in: they are for the one fault that it was made for. Which of them that is, propose.ts says.
 */
export function planIdOf({ node, remediator, changes }: Pick<Plan, 'node' | 'remediator' | 'changes'>): string {
  return `fix-${hashOf({ node, remediator, changes: changes.map(plainChange) }).slice(0, ID_HEX_DIGITS)}`
}

/** The hash that `plan` must carry, from its content: differs from `plan.planHash` when either was tampered with. */
export function hashPlan({ node, remediator, detector, reason, cause, changes, reach, risk }: Plan): string {
  return hashOf({ node, remediator, detector, reason, cause, changes: changes.map(plainChange), reach, risk })
}

export function hashEvidence(evidence: readonly Measure[]): string {
  return hashOf(
    evidence.map(({ name, value, limit, unit }) => ({ name, value, unit, ...(limit === undefined ? {} : { limit }) })),
  )
}

/** Just the fields of the contract, so that an extra one neither changes a hash nor rides along unhashed. */
function plainChange({ what, before, after, undo }: Change): Change {
  return { what, before, after, undo }
}

/** cborg encodes deterministically (RFC 8949 section 4.2: sorted keys, shortest forms), so equal content hashes equally. */
function hashOf(content: unknown): string {
  return createHash('sha256').update(encode(content)).digest('hex')
}
