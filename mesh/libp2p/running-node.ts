/** A running node of the mesh, as its owner sees it: what it is given, what it tells, what it can be told to do. */
import type { PeerClock, PeerLink, Vote } from '../core/core-options.ts'
import type { Leader } from '../core/leader.ts'
import type { Effect, Message, Notice } from '../core/message.ts'
import type { Certificate, Incarnation, Keyring, Millis, Roster, SignedStatement, Standing } from '../core/model.ts'
import type { Following } from '../core/roll-call.ts'
import type { Timing } from '../core/timing.ts'
import type { KeyPair } from '../identity/keys.ts'

export interface Identity {
  readonly node: string
  readonly keys: KeyPair
  /** This node's enrolment certificate, and the CA's public key to check those of others. */
  readonly certificate: Uint8Array
  readonly caKey: Uint8Array
  readonly incarnation: Incarnation
}

export type DropReason = Extract<Effect, { kind: 'dropped' }>['why'] | 'hello' | 'frame' | 'backpressure'

export interface MeshNodeOptions {
  readonly identity: Identity
  readonly roster: Roster
  /** The roster as it was signed, to hand on to members that have an earlier one. */
  readonly rosterBytes: Uint8Array
  readonly listen: { readonly host: string; readonly port: number }
  readonly timing?: Timing
  /** Given to an aggregator. */
  readonly aggregator?: {
    /** What is on record of what members said. */
    readonly saidBefore: readonly SignedStatement[]
    /** A roll-call or a canvass of its own is over. */
    onReach(reach: Reach): void
    /** Another aggregator called the roll, under a later term than any before. */
    onCalled(by: string, term: number): void
  }
  /**
   * Whether the subject's kubelet renewed its Lease within the last `silentMs`; undefined: not known. Without it there are
   * no Leases to be read.
   */
  heartbeats?(subject: string, silentMs: Millis): Promise<boolean | undefined>
  /** A statement heard for the first time: an aggregator hears all, a member what aggregators say and neighbours say to it. */
  onStatement(signed: SignedStatement): void
  /** A question of another node; what it rejects with is told to that one. Without it all are refused. */
  onAsked?(from: string, topic: string, bytes: Uint8Array): Promise<Uint8Array>
  /** Must have kept a later roster, as it was signed, when it returns: only then is it in force. */
  onRoster(bytes: Uint8Array): void
  /** A document that was sought, with the bytes that its name says; nothing else is known of it. */
  onDocument(hash: string, bytes: Uint8Array): void
  /** Must have recorded the verdict durably when it returns: only then is the mesh told. */
  onCommit(certificate: Certificate): void
  onNotice(notice: Notice): void
  /** One message, opened or closed edge, or refusal; for metrics. */
  onTraffic(traffic: Traffic): void
}

export type Reach = Omit<Extract<Effect, { kind: 'reach' }>, 'kind'>

export type Traffic =
  | { readonly kind: 'sent' | 'received'; readonly message: Message['kind']; readonly bytes: number }
  | { readonly kind: 'dropped'; readonly why: DropReason; readonly from: string }

export interface MeshNode {
  /**
   * Says something to all, or to neighbours only when the topic begins with `near/`; it supersedes what this node said under
   * the same topic before. At most 64 KiB.
   */
  publish(topic: string, bytes: Uint8Array, ttlMs: Millis): void
  /** The documents that this node hands to those who lack them, and the names of those that it lacks, most urgent first. */
  exchange(holds: readonly Uint8Array[], seeks: readonly string[]): void
  /**
   * Asks one node, on a stream of its own; neither question nor answer is over 256 KiB. Rejects with a NotReached when nobody
   * is there, and with another Error when no answer comes within `withinMs`, or the other refuses.
   */
  ask(peer: string, topic: string, bytes: Uint8Array, withinMs: Millis): Promise<Uint8Array>
  /** To a leader: the subject's kubelet was seen alive, so it is cut off from its peers alone. */
  lives(subject: string): void
  /** To a leader: what the verdict on the subject wants was not done in time; the mesh is asked before it is. */
  askAfresh(subject: string): void
  readonly peerClocks: readonly PeerClock[]
  peerLinks(): readonly PeerLink[]
  votes(): readonly Vote[]
  /** Peers with an edge to this node, whichever of the two watches the other, of which something came within the last `ms`. */
  heardWithin(ms: Millis): readonly string[]
  readonly incarnation: Incarnation
  /** Subjects that this node could convict if they fell silent now: known for five beats, their hosts known to answer. */
  readonly convictable: readonly string[]
  readonly roster: Roster
  /** Signs as this node, and verifies by the roster in force. */
  readonly keyring: Keyring
  /** Why this node abstains from every vote; undefined while it is fit. */
  readonly degraded: string | undefined
  /** A later roster, signed; the others fetch it from here. Throws an Error saying what is wrong with it. */
  advance(rosterBytes: Uint8Array): void
  /** Monotonic ms, the clock that the mesh's times are on. */
  now(): Millis
  /** Whose roll-calls this member answers, and when the latest came; undefined before the first, and for an aggregator. */
  readonly follows: Following | undefined
  /** While this node, an aggregator, leads. */
  readonly leader: Leader | undefined
  /** An aggregator asks whom it would reach as the leader of this term; then nobody follows an earlier one. */
  canvass(term: number): void
  /** An aggregator leads from now on. `standing`: the verdicts on record that stand. */
  lead(term: number, standing: readonly Standing[]): void
  /** An aggregator leads no more. */
  standBy(): void
  /** `leave`: tells those who watch this node that it stops on purpose, why, and for how long at most. */
  stop(leave?: { readonly reason: string; readonly forMs: Millis }): Promise<void>
}
