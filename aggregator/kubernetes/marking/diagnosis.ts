/**
 * What the mesh itself finds about a node that lives: its links are at fault, or its host answers for neither agent nor
 * kubelet. Shown as a detector's finding is, by policy; never a reason to touch Ready (docs/protocol.md section 4).
 */
import { counted } from '../../../common/counted.ts'
import type { Ballot } from '../../../mesh/core/ballots.ts'

/** What stands for the detector in these findings. */
export const MESH = 'mesh'

export const DIAGNOSES = ['KubeletDown', 'LinkFault'] as const
export type Diagnosis = (typeof DIAGNOSES)[number]

/** What observers hold against a node whose agent is known to be down. */
export interface AgentDown {
  readonly ballots: readonly Pick<Ballot, 'accusation'>[]
  /** H of this node. */
  readonly needed: number
}

export interface NodeSeen {
  readonly agentDown: AgentDown | undefined
  /** Its Lease stayed as it was for longer than a living kubelet leaves it; undefined: not known. */
  readonly hasLapsed: boolean | undefined
  readonly hasLinkFault: boolean
}

/**
 * Its host refuses and no program on it answers anybody. A firewall in front of the kubelet's port looks the same, when the
 * agent's alone refuses: only the Lease tells.
 */
export function refusesAll({ ballots, needed }: AgentDown): boolean {
  const answers = ballots.map(({ accusation }) => accusation.channel)
  return !answers.includes('userland') && answers.filter((answer) => answer === 'refused').length >= needed
}

/** What is found, for people; nothing that is not certain. */
export function diagnose({
  agentDown,
  hasLapsed,
  hasLinkFault,
}: NodeSeen): Readonly<Partial<Record<Diagnosis, string>>> {
  const isKubeletDown = agentDown !== undefined && hasLapsed === true && refusesAll(agentDown)
  return {
    ...(isKubeletDown
      ? {
          KubeletDown: `its host refuses ${counted(agentDown.ballots.length, 'observer')}, and its kubelet renews its Lease no more`,
        }
      : {}),
    ...(hasLinkFault ? { LinkFault: 'some observers see it live, others see nothing of it' } : {}),
  }
}
