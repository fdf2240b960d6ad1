/**
 * Plain SWIM (Das, Gupta, Motivala, DSN 2002): probes in turn, indirect probes, suspicion for a fixed time, incarnations,
 * claims that travel on the probes.
 */
import type { Stage } from '../stage.ts'
import { Arm, type ArmOptions } from './arm.ts'
import type { Opinion } from './opinions.ts'
import type { Profile } from './profile.ts'

export type SwimOptions = ArmOptions &
  Partial<Pick<Profile, 'probeIntervalMs' | 'probeTimeoutMs' | 'indirectProbes' | 'suspicionMult' | 'retransmitMult'>>

/**
 * The paper leaves the constants open, but for lambda = 3 and a natural logarithm in its experiment (6.9 here). These are
 * memberlist's, so that the two differ in the algorithm alone.
 */
const SWIM: Profile = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMult: 4,
  suspicionMaxMult: 1,
  retransmitMult: 4,
  isSelfAware: false,
  tellsSuspects: false,
  // In the paper whoever is held dead is out for good, and joins again under a new name.
  tellsTheDead: true,
  pingsOverTcp: false,
}

export class Swim extends Arm {
  constructor(
    stage: Stage,
    names: readonly string[],
    tell: (opinion: Opinion) => void,
    { pauseStops, ...constants }: SwimOptions = {},
  ) {
    super(stage, names, { ...SWIM, ...constants }, tell, pauseStops === undefined ? {} : { pauseStops })
  }
}
