/** What travels over an edge, and what the core is told and asks for. */
import type { BrakeChange } from './brake.ts'
import type { HostAnswer } from './channel.ts'
import type { Digest, Heard, RefusedWhy } from './gossip.ts'
import type {
  Certificate,
  Incarnation,
  Millis,
  Roster,
  SignedAnswer,
  SignedRollCall,
  SignedStatement,
  Standing,
  VerdictKind,
} from './model.ts'

export type Message =
  | { readonly kind: 'probe'; readonly seq: number }
  /** `wallMs`: the answerer's wall clock, only to show how far clocks are apart. */
  | { readonly kind: 'ack'; readonly seq: number; readonly wallMs: number; readonly incarnation: Incarnation }
  /**
   * An observer misses its subject and asks a co-observer to look, too. `path`: the hops still to go, the last one being
   * the co-observer it is meant for.
   */
  | { readonly kind: 'hint'; readonly path: readonly string[]; readonly from: string; readonly subject: string }
  /** Its answer, when the subject acked: an indirect ack, for how long ago. */
  | {
      readonly kind: 'indirect-ack'
      readonly path: readonly string[]
      readonly from: string
      readonly subject: string
      readonly ageMs: Millis
    }
  | { readonly kind: 'gossip'; readonly items: readonly Heard[] }
  /** All that the sender knows of what aggregators say; the answer is what it lacks. */
  | ({ readonly kind: 'digest' } & Digest)
  /** A peer is on a later epoch: asks it for the roster, which comes as its signed bytes. */
  | { readonly kind: 'want-roster'; readonly epoch: number }
  | { readonly kind: 'roster'; readonly epoch: number; readonly bytes: Uint8Array }
  /** A document by its name, the SHA-256 of its bytes, hex. The answer has no bytes where there is none. */
  | { readonly kind: 'want-document'; readonly hash: string }
  | { readonly kind: 'document'; readonly hash: string; readonly bytes: Uint8Array }
  | { readonly kind: 'roll-call'; readonly call: SignedRollCall }
  /**
   * Flows back to the leader; bit n of `present` is the nth member of the roster. `degraded`: those that hold themselves
   * unfit to judge others; empty for nobody.
   */
  | {
      readonly kind: 'answers'
      readonly nonce: string
      readonly present: Uint8Array
      readonly degraded: Uint8Array
      readonly answers: readonly SignedAnswer[]
    }

/** The stream a message takes: `mine` is the one this node opened to probe, `theirs` the one it is probed on. */
export type Via = 'mine' | 'theirs' | 'any'

export type Input =
  | { readonly kind: 'tick' }
  | { readonly kind: 'opened'; readonly peer: string; readonly by: 'me' | 'them'; readonly incarnation: Incarnation }
  /** A stream ended, or (`by: 'me'`) a dial failed. */
  | { readonly kind: 'closed'; readonly peer: string; readonly by: 'me' | 'them' }
  | { readonly kind: 'message'; readonly from: string; readonly message: Message }
  | { readonly kind: 'hostAccepted'; readonly subject: string }
  | { readonly kind: 'hostAnswer'; readonly subject: string; readonly answer: HostAnswer }
  | { readonly kind: 'publish'; readonly topic: string; readonly bytes: Uint8Array; readonly ttlMs: Millis }
  /** This node is about to stop, and means to be back after `forMs`, at most two minutes. */
  | { readonly kind: 'leave'; readonly reason: string; readonly forMs: Millis }
  /** A roster that was checked: signed by an aggregator, a later epoch of this mesh. */
  | { readonly kind: 'roster'; readonly roster: Roster; readonly hash: string; readonly bytes: Uint8Array }
  /** The documents that this node has for others, and the names of those that it lacks, the most urgent first. */
  | { readonly kind: 'documents'; readonly holds: readonly Uint8Array[]; readonly seeks: readonly string[] }
  /** To an aggregator that stands by: whom would it reach as the leader of this term? Answered by `reach`. */
  | { readonly kind: 'canvass'; readonly term: number }
  /**
   * To an aggregator: it leads from now on, until it is told to stand by. `term` grows with every leader; `standing`: the
   * verdicts on record that stand, beside those that the mesh has heard of.
   */
  | { readonly kind: 'lead'; readonly term: number; readonly standing: readonly Standing[] }
  | { readonly kind: 'standBy' }
  /** The answer to `readHeartbeat`: whether the kubelet renewed its Lease since; undefined when that is not known. */
  | { readonly kind: 'heartbeat'; readonly subject: string; readonly renewed: boolean | undefined }
  /** What a standing verdict wants could not be done in time: it is to be done only if the mesh says the same again. */
  | { readonly kind: 'askAfresh'; readonly subject: string }

/** To be carried out in order: a `commit` is recorded before anybody is told of it. */
export type Effect =
  | { readonly kind: 'send'; readonly to: string; readonly via: Via; readonly message: Message }
  | { readonly kind: 'dial' | 'abort'; readonly peer: string }
  /** Ask the host itself; `controls`: other live members to connect to at the same time, a few where there are any. */
  | { readonly kind: 'askHost'; readonly subject: string; readonly controls: readonly string[] }
  /** A statement heard for the first time that concerns this node: a leader everything, a member what aggregators and neighbours say to it. */
  | { readonly kind: 'heard'; readonly signed: SignedStatement }
  /** A peer sent a later roster: check it, keep it, and hand it back as an input. */
  | { readonly kind: 'rosterOffered'; readonly from: string; readonly bytes: Uint8Array }
  /** A document that was sought, with the bytes of its name; nothing else is known of it. */
  | { readonly kind: 'documentCame'; readonly hash: string; readonly bytes: Uint8Array }
  /** Before a verdict is committed: did the kubelet renew its Lease since the silence began, `silentMs` ago? */
  | { readonly kind: 'readHeartbeat'; readonly subject: string; readonly silentMs: Millis }
  /**
   * A roll-call, or a canvass, of this aggregator is over. `holds`: a canvass reached more than half of the live members; a
   * leader has not fallen short three times in a row.
   */
  | {
      readonly kind: 'reach'
      readonly term: number
      readonly present: number
      readonly live: number
      readonly holds: boolean
    }
  /** To an aggregator: another one, or an earlier life of it, called the roll under a later term than any heard of before. */
  | { readonly kind: 'called'; readonly by: string; readonly term: number }
  | { readonly kind: 'commit'; readonly certificate: Certificate }
  | { readonly kind: 'notice'; readonly notice: Notice }
  | {
      readonly kind: 'dropped'
      readonly why: RefusedWhy | 'hint' | 'roll-call' | 'answer' | 'roster' | 'document'
      readonly from: string
    }

/** What the leader has to tell people. */
export type Notice =
  | { readonly kind: 'candidate'; readonly subject: string; readonly verdict: VerdictKind; readonly votes: number }
  | { readonly kind: 'rollCall'; readonly nonce: string; readonly subjects: readonly string[]; readonly live: number }
  | { readonly kind: 'withheld'; readonly subject: string; readonly verdict: VerdictKind; readonly why: string }
  | { readonly kind: 'brake'; readonly change: BrakeChange }
  /**
   * `by`: an agent that is heard again; a host that answers, as one does that starts again, while its agent does not yet; or,
   * without it, nothing that is known of the node: it is no member any more, or asked about afresh.
   */
  | { readonly kind: 'recovered'; readonly verdict: Standing; readonly why: string; readonly by?: 'agent' | 'host' }
  /** A node under a verdict announces itself; its observers are told to look. */
  | { readonly kind: 'announced'; readonly verdict: Standing; readonly incarnation: Incarnation }
  /** The first observers hear a subject under a verdict again. */
  | { readonly kind: 'heardAgain'; readonly verdict: Standing }
  /** A verdict turned out to be about a node that lives apart from its peers: its Lease was renewed. */
  | { readonly kind: 'isolated'; readonly verdict: Standing }
  | { readonly kind: 'left' | 'returned'; readonly subject: string; readonly why: string }
  /** Some observers see it live, others see nothing. `open: false`: none did so for five minutes. */
  | {
      readonly kind: 'linkFault'
      readonly subject: string
      readonly open: boolean
      readonly alive: readonly string[]
      readonly silent: readonly string[]
    }
  /** One observer stands against the rest; its votes do not count meanwhile. */
  | { readonly kind: 'observerFault'; readonly subject: string; readonly open: boolean; readonly why: string }
  /** Too many observers hold themselves unfit: no verdict about these subjects, or in the whole mesh. */
  | { readonly kind: 'blind'; readonly open: boolean; readonly subjects: readonly string[]; readonly why: string }
  /** Whether the roll-calls of this leader reach more than half of the live members. */
  | { readonly kind: 'quorum'; readonly reached: boolean; readonly present: number; readonly live: number }
  | {
      readonly kind: 'agentDown' | 'agentUp' | 'suspected' | 'unsuspected'
      readonly subject: string
      readonly voters: readonly string[]
    }
