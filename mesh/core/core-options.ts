/** What a core is made of, and what it tells its owner. */
import type { ClockSample } from './edge.ts'
import type { Answer, Incarnation, Keyring, Roster, SignedStatement } from './model.ts'
import type { LinkQuality } from './round-trips.ts'
import type { Timing } from './timing.ts'

export interface CoreOptions {
  readonly node: string
  readonly incarnation: Incarnation
  readonly roster: Roster
  /** The signed roster as it was read, to hand on to peers that have an earlier one. */
  readonly rosterBytes: Uint8Array
  readonly keyring: Keyring
  readonly timing: Timing
  /** Uniform in [0, 1). */
  random(): number
  /** Given to an aggregator, which does not vote, and stands by until it is told to lead. */
  readonly aggregator?: {
    /** Goes into certificates, so that they name the very roster they were counted on. */
    readonly rosterHash: string
    /** What members said to this aggregator in its earlier life: heard again, it is no news. */
    readonly saidBefore: readonly SignedStatement[]
    /** Whether kubelets' Leases can be read: `readHeartbeat` is then asked before every commit. */
    readonly heartbeats: boolean
    /** Unpredictable: it is what makes answers fresh. */
    nonce(): string
  }
}

/** A peer's clock, as last measured on an edge. */
export interface PeerClock extends ClockSample {
  readonly node: string
}

/** What an observer would answer about a subject in a roll-call. */
export interface Vote extends Pick<Answer, 'subject' | 'incarnation' | 'opinion' | 'channel' | 'forMs' | 'reason'> {}

/** How the beats to a peer fared within the last minute. */
export interface PeerLink extends LinkQuality {
  readonly node: string
}
