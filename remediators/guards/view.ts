/**
 * What guards look at: the fleet as the leader sees it at the moment of a request. Whoever makes one reads the disruptions
 * from the cluster itself at that moment, never from a cache.
 */
import type { Severity } from '../../detectors/contract.ts'
import type { Plan, RemediationPhase } from '../contract.ts'
import type { Decision, PermitRequest } from '../permits.ts'

export interface GuardView {
  /** Monotonic, ms; every time below is on this clock. */
  readonly nowMs: number
  readonly request: PermitRequest
  /** The plan of that id as the leader knows it. */
  readonly plan: Plan
  /** Of every member, and of every Node of the cluster that is none, by name. */
  readonly nodes: ReadonlyMap<string, NodeFacts>
  /** Granted and without an outcome, whoever led then. */
  readonly outstanding: readonly OutstandingPermit[]
  /** What ended within the last 24 h, oldest first: each fix once, with what became of it at last. */
  readonly ended: readonly EndedFix[]
  /** Faults that are reported now. What is unknown since a probe broke is no fault. */
  readonly faults: readonly StandingFault[]
  /**
   * Plans that were first asked for within the last hour, this one too if it was. A node asks again as long as it is
   * refused: of those the first counts, and it counts as one until the plan has not been asked for during an hour.
   */
  readonly requests: readonly { readonly node: string; readonly planId: string; readonly atMs: number }[]
  /** Why the leader may decide nothing now: a freeze, no quorum, blindness; undefined while it may. */
  readonly restrained: string | undefined
  /** Everything that was read of the cluster could be read, as of now; else why not. */
  readonly stale: string | undefined
  readonly pauses: readonly Pause[]
  /** Of the last 24 h. */
  readonly releases: readonly Release[]
  /** Alerts that fire now and that settings name as blocking; undefined when they could not be asked for. */
  readonly blockingAlerts: readonly string[] | undefined
  /** Of this plan, those that still count. */
  readonly approvals: readonly Approval[]
}

export interface NodeFacts {
  /** False for a Node without an agent: it is counted as its cluster shows it, and nothing is ever begun on it. */
  readonly isMember: boolean
  readonly zone: string
  readonly pool: string | undefined
  readonly roles: readonly string[]
  /** The mesh holds it for dead, hung or gone, or Kubernetes for not ready. */
  readonly isDown: boolean
  /** That somebody else has it in hand, as `it is cordoned`: drained, rebooting, about to be removed; undefined when nobody has. */
  readonly takenBy: string | undefined
  /** Pods on it that settings name as blocking. */
  readonly blockingPods: readonly string[]
  /** Whether it runs a member of etcd, and whether that one is well. */
  readonly etcd: 'well' | 'unwell' | undefined
}

export interface OutstandingPermit {
  readonly permitId: string
  readonly node: string
  readonly planId: string
  readonly remediator: string
  readonly reason: string
  readonly reach: Plan['reach']
}

export interface EndedFix {
  readonly node: string
  /** Of the node when it was permitted: a node that is replaced takes nothing with it. */
  readonly pool: string | undefined
  readonly planId: string
  readonly remediator: string
  readonly reason: string
  readonly cause: string
  readonly phase: RemediationPhase
  readonly atMs: number
}

export interface StandingFault {
  readonly node: string
  readonly reason: string
  readonly cause: string
  readonly severity: Severity
  readonly sinceMs: number
  /** Why nothing is to be mended for it: it is clearing or flapping, or its detector's version is held back. */
  readonly held: string | undefined
}

export interface Approval {
  readonly decision: Decision
  /** Who it was, where the way in tells people apart; undefined where several share a token. */
  readonly person: string | undefined
}

/** A person has looked: what came before is no reason any more to leave a pool alone, or to hold a fault for systemic. */
export interface Release {
  readonly scope: { readonly kind: 'all' } | { readonly kind: 'pool' | 'reason'; readonly name: string }
  readonly by: string
  readonly atMs: number
}

export interface Pause {
  /** What it is for: everything, one pool, or one node. */
  readonly scope: { readonly kind: 'all' } | { readonly kind: 'pool' | 'node'; readonly name: string }
  readonly by: string
  readonly reason: string
  /** RFC 3339, for people, and on this clock. */
  readonly until: string
  readonly untilMs: number
}
