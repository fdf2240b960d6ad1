/** The constants of a SWIM-like failure detector, and what follows from them for a group of a given size. */
import type { SuspicionTimes } from './suspicions.ts'

export interface Profile {
  /** SWIM's protocol period T', ms: each member probes one other in each. */
  readonly probeIntervalMs: number
  /** How long a direct probe may take before others are asked, ms; less than the interval. */
  readonly probeTimeoutMs: number
  /** How many others are asked to probe as well: SWIM's k. */
  readonly indirectProbes: number
  /** SWIM's lambda, Lifeguard's alpha: periods for each power of ten of members until a suspect is held dead. */
  readonly suspicionMult: number
  /** Lifeguard's beta: how many times longer a suspicion lasts that nobody confirms, at least 1; 1: just as long. */
  readonly suspicionMaxMult: number
  /** A claim is passed on this often for each power of ten of members. */
  readonly retransmitMult: number
  /** Lifeguard's local health: whoever gets no answers, also no nacks, gives its next probes more time. */
  readonly isSelfAware: boolean
  /** Lifeguard's buddy system: a suspect is told so with the ping. */
  readonly tellsSuspects: boolean
  /** Whoever is held dead, and pings nevertheless, is told so with the ack. */
  readonly tellsTheDead: boolean
  /** A probe that gets no ack is tried over TCP as well. */
  readonly pingsOverTcp: boolean
  /** Claims also go out by themselves, to random members, until so long after death; without it only with probes. */
  readonly gossip?: { readonly intervalMs: number; readonly nodes: number; readonly toTheDeadMs: number }
  /** How often a member exchanges all it holds with a random other in a group of up to 32, ms; without it never. */
  readonly pushPullMs?: number
}

/** memberlist's awareness: the interval is multiplied by up to this. */
export const AWARENESS_MAX = 8

/** How long a suspicion lasts in a group of so many. */
export function suspicionOf(profile: Profile, members: number): SuspicionTimes {
  const { suspicionMult, suspicionMaxMult, probeIntervalMs } = profile
  const minMs = suspicionMult * Math.max(1, Math.log10(members)) * probeIntervalMs
  // Who probes first is not counted, and in a small group there is nobody to confirm.
  const confirmations = suspicionMaxMult > 1 && members >= suspicionMult ? Math.max(0, suspicionMult - 2) : 0
  return { minMs, maxMs: confirmations === 0 ? minMs : minMs * suspicionMaxMult, confirmations }
}

export function retransmitsOf({ retransmitMult }: Profile, members: number): number {
  return retransmitMult * Math.ceil(Math.log10(members + 1))
}

/** memberlist: one interval more with each doubling above 32 members, so that the load a member bears stays bounded. */
export function pushPullEvery(intervalMs: number, members: number): number {
  return members <= 32 ? intervalMs : intervalMs * (Math.ceil(Math.log2(members) - Math.log2(32)) + 1)
}
