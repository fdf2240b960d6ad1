/** What travels over an edge, and what the core is told and asks for. */

import type { BrakeChange } from './brake.ts'
import type { HostAnswer } from './channel.ts'
import type { Digest, Heard, RefusedWhy } from './gossip.ts'
import type {
  Certificate,
  Incarnation,
  Millis,
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
  /** `path`: the hops still to go, the last one being the observer it is meant for. */
  | { readonly kind: 'hint'; readonly path: readonly string[]; readonly from: string; readonly subject: string }
  /** `history`: fetched, not said just now. It informs, it never counts as a vote. */
  | { readonly kind: 'gossip'; readonly history: boolean; readonly items: readonly Heard[] }
  | ({ readonly kind: 'digest' } & Digest)
  | { readonly kind: 'roll-call'; readonly call: SignedRollCall }
  /** Flows back to the leader; bit n of `present` is the nth member of the roster. */
  | {
      readonly kind: 'answers'
      readonly nonce: string
      readonly present: Uint8Array
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
  | { readonly kind: 'hostAnswer'; readonly subject: string; readonly answer: HostAnswer }
  | { readonly kind: 'publish'; readonly topic: string; readonly bytes: Uint8Array; readonly ttlMs: Millis }

/** To be carried out in order: a `commit` is recorded before anybody is told of it. */
export type Effect =
  | { readonly kind: 'send'; readonly to: string; readonly via: Via; readonly message: Message }
  | { readonly kind: 'dial' | 'abort'; readonly peer: string }
  /** Ask the host itself; `control`: another live member to connect to at the same time, when there is one. */
  | { readonly kind: 'askHost'; readonly subject: string; readonly control: string | undefined }
  /** A statement heard for the first time; `history` as in the message that brought it. */
  | { readonly kind: 'heard'; readonly signed: SignedStatement; readonly history: boolean }
  | { readonly kind: 'commit'; readonly certificate: Certificate }
  | { readonly kind: 'notice'; readonly notice: Notice }
  | { readonly kind: 'dropped'; readonly why: RefusedWhy | 'hint' | 'roll-call' | 'answer'; readonly from: string }

/** What the leader has to tell people. */
export type Notice =
  | { readonly kind: 'candidate'; readonly subject: string; readonly verdict: VerdictKind; readonly votes: number }
  | { readonly kind: 'rollCall'; readonly nonce: string; readonly subjects: readonly string[]; readonly live: number }
  | { readonly kind: 'withheld'; readonly subject: string; readonly verdict: VerdictKind; readonly why: string }
  | { readonly kind: 'brake'; readonly change: BrakeChange }
  | { readonly kind: 'recovered'; readonly verdict: Standing; readonly why: string }
  | {
      readonly kind: 'agentDown' | 'agentUp' | 'suspected' | 'unsuspected'
      readonly subject: string
      readonly voters: readonly string[]
    }
