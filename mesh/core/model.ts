/**
 * The words of the mesh as data: who belongs to it, what they say, and what they conclude. Everything here is plain,
 * immutable and free of I/O, so that the agent and the simulator share it.
 */

/** Milliseconds. Monotonic unless a name says wall. */
export type Millis = number

/** Both clocks at one moment. Decisions use `ms` alone; `wallMs` is only ever reported, never compared with a peer's. */
export interface Now {
  readonly ms: Millis
  readonly wallMs: Millis
}

/**
 * Which life of a node a statement is about, compared left to right: the serial number of its enrolment, how often its
 * agent was started, and how often it contradicted a verdict in that life (SWIM section 4.2).
 */
export interface Incarnation {
  readonly serial: number
  readonly boot: number
  readonly refutations: number
}

export function compareIncarnations(a: Incarnation, b: Incarnation): number {
  return a.serial - b.serial || a.boot - b.boot || a.refutations - b.refutations
}

export function formatIncarnation({ serial, boot, refutations }: Incarnation): string {
  return `${serial}.${boot}.${refutations}`
}

/** An enrolled machine. Addresses are IPs: a host name is never resolved, since DNS dies with the network. */
export interface Member {
  readonly node: string
  readonly serial: number
  readonly zone: string
  readonly roles: readonly string[]
  /** The pool of nodes that it was made in, where somebody names pools; settings may be said for one. */
  readonly pool?: string | undefined
  readonly peerId: string
  readonly hosts: readonly string[]
  readonly meshPort: number
  readonly kubeletPort: number
  /** Of the Node object in Kubernetes under which it was taken in: another Node of the same name is another machine. */
  readonly uid?: string | undefined
}

/** The signed set of members. `seed` places observers; it is the leader's choice, so no node can pick its watchers. */
export interface Roster {
  readonly mesh: string
  readonly epoch: number
  /** SHA-256, hex, of the roster before it; empty in the founding epoch. */
  readonly previous: string
  readonly seed: string
  /** Sorted by node name: the position of a member is its bit in a roll-call's presence bitmap. */
  readonly members: readonly Member[]
  /** Aggregators: they lead and listen, they are not watched and do not vote. */
  readonly aggregators: readonly Member[]
}

/** What the host itself answered when asked past its agent (docs/protocol.md, second channel). */
export type ChannelResult = 'userland' | 'lossy' | 'mute' | 'refused' | 'nothing' | 'unknown'

/**
 * What one observer holds a subject for. `Alive` withdraws an accusation; `LinkFault` is none: its packets come through now
 * and then, but no conversation does.
 */
export type Opinion = 'Alive' | 'NodeDown' | 'HostHung' | 'AgentDown' | 'LinkFault'

/** A verdict's kind. The first two end with a node marked; Isolated is one of them whose kubelet still renews its Lease. */
export type VerdictKind = 'NodeDown' | 'HostHung' | 'Isolated'

/** One observer's statement about one life of one subject. */
export interface Accusation {
  readonly kind: 'accusation'
  readonly subject: string
  readonly incarnation: Incarnation
  readonly epoch: number
  /** Of the latest roll-call that this observer has heard: what was said to an earlier leader is no vote. */
  readonly term: number
  readonly opinion: Opinion
  readonly channel: ChannelResult
  /** How long the subject had been silent when this was said. */
  readonly silentMs: Millis
}

/** A node names its own life: at its start, and to contradict what is said about it. */
export interface Announcement {
  readonly kind: 'announcement'
  readonly incarnation: Incarnation
}

/** A node stops on purpose, for a while: until then only its host is asked (docs/protocol.md section 4). */
export interface Leave {
  readonly kind: 'leave'
  readonly incarnation: Incarnation
  readonly reason: string
  /** How long it expects to be away, at most LEAVE_MS_MAX. */
  readonly forMs: Millis
}

export const LEAVE_MS_MAX = 120_000

/** The largest signed roster that travels by mesh, bytes: some 3,000 members, 2,400 with their Nodes. More need cells. */
export const ROSTER_BYTES_MAX = 480 * 1024

/** The leader's down list, an entry a subject: a verdict stands, or no longer does. */
export interface DownNotice {
  readonly kind: 'down'
  readonly subject: string
  readonly incarnation: Incarnation
  readonly verdict: VerdictKind
  readonly verdictId: string
  readonly standing: boolean
  /** The latest life of the subject that the leader has heard of: a later one than was convicted is worth dialling. */
  readonly latest: Incarnation
  /** Beats of renewed acks before the subject is called alive again; more for one that keeps coming and going. */
  readonly recoverBeats: number
  /** Somebody hears the subject again: redialling it is worth while now. */
  readonly heard: boolean
}

/** Anything the mesh carries without understanding it: findings, remediations, permits, settings. */
export interface Note {
  readonly kind: 'note'
  readonly topic: string
  readonly bytes: Uint8Array
}

export type StatementBody = Accusation | Announcement | Leave | DownNotice | Note

/**
 * What one node says to all. Later (serial, boot, seq) supersedes earlier under the same key. It lives for `ttlMs` on
 * the receiver's monotonic clock, less the age it arrives with.
 */
export interface Statement {
  readonly signer: string
  readonly serial: number
  readonly boot: number
  readonly seq: number
  readonly ttlMs: Millis
  readonly body: StatementBody
}

export type Signature = Uint8Array

export interface SignedStatement {
  readonly statement: Statement
  readonly signature: Signature
}

/** The leader's fresh question. A nonce, not a clock, makes the answers fresh. */
export interface RollCall {
  readonly leader: string
  readonly epoch: number
  readonly term: number
  readonly nonce: string
  readonly subjects: readonly { readonly node: string; readonly incarnation: Incarnation }[]
  /** By an aggregator that does not lead yet: whom would it reach? From then on nobody answers an earlier term. */
  readonly canvass?: true
}

export interface SignedRollCall {
  readonly rollCall: RollCall
  readonly signature: Signature
}

/** One observer's answer about one subject of a roll-call. */
export interface Answer {
  readonly nonce: string
  readonly epoch: number
  readonly voter: string
  readonly voterSerial: number
  readonly subject: string
  readonly incarnation: Incarnation
  readonly opinion: Opinion | 'Abstain'
  readonly channel: ChannelResult
  /** Silent: for how long. Alive: age of the last ack. Abstain: 0. */
  readonly forMs: Millis
  /** Why it abstains; empty otherwise. */
  readonly reason: string
}

export interface SignedAnswer {
  readonly answer: Answer
  readonly signature: Signature
}

/**
 * What the kubelet's Lease showed when the verdict was committed. `unread`: there is none to read, or it could not be read
 * in time.
 */
export type Heartbeat = 'unread' | 'stale' | 'renewed'

/** What the leader concluded from a roll-call: the part of a certificate that it signs. */
export interface Conclusion {
  readonly verdictId: string
  readonly kind: VerdictKind
  readonly subject: string
  readonly incarnation: Incarnation
  readonly heartbeat: Heartbeat
  /** Observers excused because they, or their agents, are down themselves, by the record that says so. */
  readonly excused: readonly { readonly node: string; readonly verdictId: string }[]
  readonly rosterHash: string
  /** Members that answered the roll-call, and how many it was put to. */
  readonly present: number
  readonly live: number
  /** Observers whose answers it was counted from: leaving one out is not a way to another conclusion. */
  readonly voters: readonly string[]
}

/** A conclusion with all that is needed to check it again without the mesh. */
export interface Certificate extends Conclusion {
  readonly mesh: string
  readonly rollCall: SignedRollCall
  readonly answers: readonly SignedAnswer[]
  readonly signature: Signature
}

/** A verdict that stands. */
export interface Standing {
  readonly verdictId: string
  readonly kind: VerdictKind
  readonly subject: string
  readonly incarnation: Incarnation
}

/** Signs as this node and checks what others signed. Signatures cover mesh id, protocol version and purpose. */
export interface Keyring {
  sign(purpose: Purpose, payload: unknown): Signature
  /** Whether the enrolled key of `signer` made it. False for a signer that is not enrolled. */
  verify(signer: string, purpose: Purpose, payload: unknown, signature: Signature): boolean
}

export type Purpose = 'statement' | 'roll-call' | 'answer' | 'verdict' | 'roster' | 'query' | 'row'
