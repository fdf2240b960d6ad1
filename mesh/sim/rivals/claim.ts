/** What members of the compared failure detectors say to each other. Members are numbered; each number is a machine. */

/** `gone`: dead for so long that its name is forgotten, so that it may come back as if it were new. */
export type State = 'alive' | 'suspect' | 'dead' | 'gone'

/** One statement about one member, as it is passed on. */
export interface Claim {
  readonly subject: number
  readonly state: 'alive' | 'suspect' | 'dead'
  readonly incarnation: number
  /** Who said it first: suspicions of different members confirm each other. */
  readonly from: number
}

/** One UDP packet. `seq` names the probe that it asks for or answers; `askFor` asks somebody else to ping `target`. */
export interface Packet {
  readonly kind: 'ping' | 'ack' | 'nack' | 'askFor' | 'gossip'
  readonly seq: number
  readonly target: number
  readonly claims: readonly Claim[]
}

/** All that a member holds, as it is exchanged over TCP. */
export type Snapshot = readonly Claim[]
