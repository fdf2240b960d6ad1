/** HashiCorp's memberlist with its LAN profile (config.go), with Lifeguard (Dadgar, Phillips, Currey, 2018) or without. */
import type { Stage } from '../stage.ts'
import { Arm, type ArmOptions } from './arm.ts'
import type { Opinion } from './opinions.ts'
import type { Profile } from './profile.ts'

export interface MemberlistOptions extends ArmOptions {
  /** Lifeguard's alpha: 4 unless told. */
  readonly suspicionMult?: number
  /** Lifeguard's beta: 6 unless told; 1 turns its dynamic suspicion off. */
  readonly suspicionMaxMult?: number
  /** False: no local health, no dynamic suspicion, no buddy system. */
  readonly hasLifeguard?: boolean
}

const LAN: Profile = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  retransmitMult: 4,
  isSelfAware: true,
  tellsSuspects: true,
  tellsTheDead: false,
  pingsOverTcp: true,
  gossip: { intervalMs: 200, nodes: 3, toTheDeadMs: 30_000 },
  pushPullMs: 30_000,
}

const WITHOUT_LIFEGUARD = { suspicionMaxMult: 1, isSelfAware: false, tellsSuspects: false }

export class Memberlist extends Arm {
  constructor(
    stage: Stage,
    names: readonly string[],
    tell: (opinion: Opinion) => void,
    { pauseStops, hasLifeguard = true, ...constants }: MemberlistOptions = {},
  ) {
    const profile = { ...LAN, ...constants, ...(hasLifeguard ? {} : WITHOUT_LIFEGUARD) }
    super(stage, names, profile, tell, pauseStops === undefined ? {} : { pauseStops })
  }
}
