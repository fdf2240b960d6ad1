/** What the election is told, what it asks for, and the Lease that it is about. */
import type { Millis } from '../core/model.ts'

/** What one replica writes into the Lease. */
export interface Claim {
  /** One life of one aggregator; empty: nobody's. */
  readonly holder: string
  /** Grows with every leader. */
  readonly term: number
}

/** The Lease as it was read. Its times are not: they are of other machines' clocks. */
export interface Lease extends Claim {
  /** Another one after each write. */
  readonly version: string
}

/** What somebody answered who was knocked for: `refused` is the word of a kernel that lives where no process listens. */
export type Answer = 'accepted' | 'refused' | 'nothing'

export type ElectionInput =
  | { readonly kind: 'tick' }
  /** The answers to `read`: the Lease, or that there is none; or no answer. */
  | { readonly kind: 'read'; readonly lease: Lease | undefined }
  | { readonly kind: 'readFailed' }
  /** The answers to `write`: done; somebody else wrote first; or no answer, and it may or may not be done. */
  | { readonly kind: 'written'; readonly version: string }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'writeFailed' }
  /** A roll-call or a canvass of this replica is over. `holds`: it may stand, or keep the Lease, on it. */
  | {
      readonly kind: 'reach'
      readonly term: number
      readonly present: number
      readonly live: number
      readonly holds: boolean
    }
  /** Another replica called the roll under this term. */
  | { readonly kind: 'called'; readonly term: number }
  /** The answer to `knock`. */
  | { readonly kind: 'knocked'; readonly holder: string; readonly answer: Answer }
  /** This process is about to end. */
  | { readonly kind: 'stop' }

export type ElectionEffect =
  /** Read the Lease; one answer follows, and until then nothing else is asked of the API server. */
  | { readonly kind: 'read' }
  /** Write the Lease if its version is still `over`; undefined: if there is none. One answer follows. */
  | { readonly kind: 'write'; readonly claim: Claim; readonly over: string | undefined }
  /** Connect to the port on which the holder's process listens; one answer follows. */
  | { readonly kind: 'knock'; readonly holder: string }
  /** Ask the mesh whom this replica would reach. */
  | { readonly kind: 'canvass'; readonly term: number }
  /**
   * This replica leads the mesh from now on. `after`: the term that the Lease had before, 0 for none; only whoever led under
   * that has a record of verdicts that is complete.
   */
  | { readonly kind: 'lead'; readonly term: number; readonly after: number }
  | { readonly kind: 'standBy'; readonly why: string }
  | { readonly kind: 'notice'; readonly notice: ElectionNotice }

/** NoQuorumLeader: nobody leads, and this replica reaches too few to do so itself. */
export type ElectionNotice =
  | { readonly kind: 'noQuorumLeader'; readonly open: true; readonly present: number; readonly live: number }
  | { readonly kind: 'noQuorumLeader'; readonly open: false }

/** A write that is under way, or of which nobody knows whether it was carried out. */
export interface Write {
  readonly purpose: 'claim' | 'renewal' | 'release'
  readonly claim: Claim
  readonly over: string | undefined
  readonly sentAt: Millis
}
