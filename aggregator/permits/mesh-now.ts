/** The mesh as the desk asks for it, and why its leader may permit nothing at the moment. */
import type { Finding } from '../../detectors/contract.ts'
import type { Leader } from '../../mesh/core/leader.ts'
import type { Roster } from '../../mesh/core/model.ts'
import type { MeshNow } from './view.ts'

/** Who begins to lead hears within this what members have to say; until then it takes faults for fewer than they are. */
const SETTLE_MS = 15_000

export interface MeshNowInit {
  readonly leader: Leader
  readonly roster: Roster
  readonly findings: readonly Finding[]
  /** How long it has led. */
  readonly ledForMs: number
}

export function meshNow({ leader, roster, findings, ledForMs }: MeshNowInit): MeshNow {
  return {
    members: roster.members,
    standing: leader.conditions.standing,
    hasLeft: (node) => leader.hasLeft(node),
    findings,
    restrained: whyRestrained(leader, ledForMs),
  }
}

function whyRestrained({ frozen, hasQuorum, blindness }: Leader, ledForMs: number): string | undefined {
  if (ledForMs < SETTLE_MS) return `it has led for less than ${SETTLE_MS / 1_000} s, and hears the nodes first`
  if (frozen !== undefined) return `frozen: ${frozen}`
  if (!hasQuorum) return 'it reaches no more than half of the live members'
  return blindness.why === undefined ? undefined : `blind: ${blindness.why}`
}
