/**
 * What the aggregator knows and shows: the shapes behind its API, page and command line. Times are RFC 3339 in UTC. All is
 * derived, from the mesh, from signed statements of nodes or from decisions; `events` is the one thing that is stored.
 */
import type { NodeTraits } from '../common/selector.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Remediation } from '../remediators/contract.ts'
import type { MarkingMode } from '../settings/marking.ts'
import type { CopiesView } from './copies/view.ts'
import type { Event, EventQuery, StoredEvent } from './event-model.ts'
import type { RemediationReport } from './outcomes/model.ts'
import type {
  DecisionRequest,
  PauseRequest,
  PauseScope,
  PermitsView,
  Release,
  ReleaseScope,
} from './remediation-model.ts'
import type { RosterView } from './roster-model.ts'
import type { Proposal, Rollback, SettingsDetail, SettingsView } from './settings-model.ts'

export * from './event-model.ts'

/** `suspected`: observers hear nothing, no verdict (yet). `unseen`: in the roster, never heard by this aggregator. */
export type MemberState = 'alive' | 'suspected' | 'NodeDown' | 'HostHung' | 'Isolated' | 'AgentDown' | 'left' | 'unseen'

export interface VoteView {
  readonly voter: string
  readonly zone: string
  /** What this observer holds the subject for. */
  readonly opinion: 'silent' | 'alive' | 'abstain'
  readonly kind: string
  /** What the host itself answered this observer: userland, mute, refused, nothing or unknown. */
  readonly channel: string
  /** How long the subject had been silent to this observer when it said so, ms; how old its last ack, if alive. */
  readonly forMs: number
}

/** What can be wrong between a node and its peers while the node itself lives. */
export type MemberFlag = 'LinkFault' | 'ObserverFault'

/**
 * What one observer sees of a subject. `silent`: its agent says nothing and its host's answer is not clear; `host-answers`:
 * its agent says nothing, its host does; `nothing`: neither does.
 */
export const SIGHTS = ['hears', 'host-answers', 'silent', 'nothing', 'abstains', 'unknown'] as const
export type Sight = (typeof SIGHTS)[number]

export interface SightView {
  readonly observer: string
  readonly zone: string
  readonly sees: Sight
  /** What the host itself answered this observer: userland, mute, refused, nothing or unknown. */
  readonly channel: string
  /** How old the evidence is, and what it is; null and none when there is none. */
  readonly ageMs: number | null
  readonly from: 'roll-call' | 'statement' | 'watching' | 'none'
}

/** A row of the matrix of who sees whom. */
export interface MatrixRow {
  readonly subject: string
  readonly state: MemberState
  readonly flags: readonly MemberFlag[]
  /** Not everyone who says anything about it hears it, or its links are known to be at fault. */
  readonly disputed: boolean
  readonly sights: readonly SightView[]
}

export interface MemberView extends NodeTraits {
  readonly address: string
  readonly state: MemberState
  /** Beside its state: a node can live and have bad links. */
  readonly flags: readonly MemberFlag[]
  /** When the state began, as this aggregator saw it. */
  readonly since: string
  readonly incarnation: string
  readonly observers: readonly string[]
  /** Those of them that live and could convict it: they know it well enough, and its host is known to answer them. */
  readonly coveredBy: readonly string[]
  /** Observers that hear it, and those that do not; the others say nothing about it at present. */
  readonly seenBy: readonly string[]
  readonly missedBy: readonly string[]
  /** Votes held against it right now, and how many it takes; null when it has too few observers ever to be convicted. */
  readonly votes: readonly VoteView[]
  readonly needed: number | null
  /** While HostHung is being waited for: when the slow path can decide, in ms from now. */
  readonly decidesInMs?: number
  readonly verdictId?: string
  /** While its verdict or a finding on it shows in Kubernetes, or would. */
  readonly mark?: MarkView
}

/** What a verdict or a finding did to its Node in Kubernetes, or would have done. Times RFC 3339. */
export interface MarkView {
  /** `withheld`: nothing was written at all. */
  readonly state: 'marked' | 'would-mark' | 'withheld' | 'undone'
  /** Of the node's pool when it was decided. */
  readonly mode: MarkingMode
  /** In words, as `condition NodeDown`. */
  readonly effects: readonly string[]
  /** Why it was withheld, or a part of it; empty when nothing was. */
  readonly withheld: string
  /** When it came to that. */
  readonly since: string
  readonly undoneAt?: string
}

export interface VerdictView {
  readonly id: string
  readonly node: string
  readonly kind: string
  readonly at: string
  readonly endedAt?: string
  readonly votes: readonly VoteView[]
  readonly needed: number
  readonly present: number
  readonly live: number
  /** Base64 of its deterministic bytes: anyone with the mesh CA can verify it. Empty while only another aggregator has it. */
  readonly certificate: string
  readonly mark?: MarkView
}

/** One verdict, and what it did to its Node in Kubernetes or would have done. Times RFC 3339, lengths ms. */
export interface WouldBeMark {
  readonly node: string
  readonly verdictId: string
  readonly kind: string
  readonly at: string
  /** Null while it stands. */
  readonly endedAt: string | null
  readonly lengthMs: number | null
  readonly votes: {
    readonly silent: number
    readonly alive: number
    readonly abstained: number
    readonly needed: number
  }
  readonly effect: 'marked' | 'would-mark' | 'withheld' | 'none'
  readonly why: string
  /** When Kubernetes' own rules held the node for not Ready, and how long after the verdict; null: not while it stood. */
  readonly stock: { readonly at: string; readonly afterMs: number } | null
}

/** What part an aggregator plays: of several, one leads. */
export interface OfficeView {
  readonly node: string
  /** `takes-over`: it was elected, and gathers what stands. */
  readonly role: 'starts' | 'stands-by' | 'takes-over' | 'leads'
  /** RFC 3339. */
  readonly since: string
  readonly why: string
  /** Who leads, as far as this one knows; empty: nobody. */
  readonly leader: string
  /** Why one that stands by could not take over at present; null: it could. */
  readonly unfit: string | null
}

/** What is written to the cluster. */
export interface MarkingView {
  /** Of every pool that is not named. */
  readonly mode: MarkingMode
  readonly pools: Readonly<Record<string, MarkingMode>>
  /** Why nothing can be written at present; null while it can. */
  readonly stalled: string | null
}

/** What the aggregator that leads shows. */
export interface Snapshot {
  readonly office: OfficeView
  /** Null without a cluster. */
  readonly marking: MarkingView | null
  readonly mesh: {
    readonly id: string
    readonly leader: string
    readonly epoch: number
    readonly version: string
    /** Why nobody is marked at present, however silent; null while the brake is open. */
    readonly frozen: string | null
    /** Why the death of a node might not be found at present, and whose; null while enough observers vote. */
    readonly blind: { readonly why: string; readonly subjects: readonly string[] } | null
    /** False when the roll-calls of this leader reach no more than half of the live members: it marks nobody. */
    readonly hasQuorum: boolean
  }
  /** Said on the page in so many words, as "all nodes read this one host". */
  readonly notice: string
  readonly members: readonly MemberView[]
  /** Null without a cluster: then the roster is as it was founded. */
  readonly roster: RosterView | null
  readonly findings: readonly Finding[]
  readonly verdicts: readonly VerdictView[]
  readonly remediations: readonly Remediation[]
  readonly permits: PermitsView
  readonly settings: SettingsView
  /** Null where nothing is known of second copies. */
  readonly copies: CopiesView | null
}

export interface SettingsPort {
  detail(): SettingsDetail
  /** Begins the roll-out. Throws StarlingError when it is not valid or not newer. */
  propose(proposal: Proposal, by: string): Event
  /** Throws StarlingError when there is nothing to go back to. */
  rollBack(rollback: Rollback, by: string): Event
  /** Lets findings count again of a detector whose version is held. Throws StarlingError when none is. */
  release(detector: string, release: Release, by: string): Event
}

/** Each rejects with StarlingError when it cannot be put on record. */
export interface PermitsPort {
  pause(request: PauseRequest, by: string): Promise<Event>
  /** Ends the pause of just this scope. Rejects with StarlingError when there is none. */
  resume(scope: PauseScope, release: Release, by: string): Promise<Event>
  /** A person has looked: what failed or spread until now in this scope holds nothing back any more. */
  release(scope: ReleaseScope, release: Release, by: string): Promise<Event>
}

/** What the HTTP side needs of the rest of the aggregator. `settings` and `permits` throw StarlingError while it does not lead. */
export interface AggregatorPort {
  office(): OfficeView
  /** While this aggregator leads. */
  present(): Snapshot | undefined
  /** Throws StarlingError while it does not. */
  snapshot(): Snapshot
  events(query: EventQuery): readonly StoredEvent[]
  /** The chains of events behind what a node is now, each head first; null when no such node is known. */
  explain(node: string): Explanation | null
  /** Each verdict since that time (RFC 3339), with what marking made of it. */
  markingPlan(since: string): readonly WouldBeMark[]
  /** What remediation did and would have done since that time (RFC 3339). */
  remediationPlan(since: string): RemediationReport
  /** Who sees whom: a row for each member. */
  matrix(): readonly MatrixRow[]
  /** Ends a freeze of the brake. Throws StarlingError when there is none. */
  release(release: Release, by: string): Event
  /** Lets the changes of the roster through that wait for a person. Throws StarlingError when none does. */
  releaseRoster(release: Release, by: string): Event
  /** Throws StarlingError when the plan is unknown or no longer waits for a decision. */
  decide(decision: DecisionRequest, by: string): Event
  readonly settings: SettingsPort
  readonly permits: PermitsPort
  /** Calls back on each stored event and, without one, when only the snapshot changed. Returns how to stop. */
  subscribe(listener: (event: StoredEvent | null) => void): () => void
}

export interface Explanation {
  readonly member: MemberView
  readonly chains: readonly { readonly title: string; readonly events: readonly StoredEvent[] }[]
}
