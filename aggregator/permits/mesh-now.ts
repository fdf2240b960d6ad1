/** The mesh as the desk asks for it, and why its leader may permit nothing at the moment. */
import type { Finding } from '../../detectors/contract.ts'
import type { Leader } from '../../mesh/core/leader.ts'
import type { Roster } from '../../mesh/core/model.ts'
import type { MeshNow } from './view.ts'

export interface MeshNowInit {
  readonly leader: Leader
  readonly roster: Roster
  readonly findings: readonly Finding[]
}

export function meshNow({ leader, roster, findings }: MeshNowInit): MeshNow {
  return {
    members: roster.members,
    standing: leader.conditions.standing,
    hasLeft: (node) => leader.hasLeft(node),
    findings,
    restrained: whyRestrained(leader),
  }
}

function whyRestrained({ frozen, hasQuorum, blindness }: Leader): string | undefined {
  if (frozen !== undefined) return `frozen: ${frozen}`
  if (!hasQuorum) return 'it reaches no more than half of the live members'
  return blindness.why === undefined ? undefined : `blind: ${blindness.why}`
}
