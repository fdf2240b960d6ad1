/**
 * The streams of one node, as mesh/libp2p/transport.ts keeps them: to each peer the one it opened itself and the one the
 * peer opened. A dial is a connect and a handshake of three round trips, the last of which brings the hellos.
 */
import type { Message, Via } from '../core/message.ts'
import type { Incarnation } from '../core/model.ts'
import { connect, SYN_AT_MS } from './connect.ts'
import { End, type Holder } from './connection.ts'
import type { Program } from './program.ts'
import type { Stage } from './stage.ts'

/** As in mesh/libp2p/transport.ts. */
const DIAL_TIMEOUT_MS = 2_000
/** Noise, the multiplexer with the protocol, and the hellos: a question and an answer each. */
const HANDSHAKE_STEPS = 6

/** A step of the handshake; from the first on with what the last ones say, who I am. */
interface Greeting {
  readonly kind: 'greeting'
  readonly step: number
  readonly incarnation: Incarnation
}

type Frame = Message | Greeting

type Owner = 'me' | 'them'

export class Streams {
  readonly #stage: Stage
  readonly #program: Program
  readonly #find: (peer: string) => Streams
  readonly #open = { me: new Map<string, Side>(), them: new Map<string, Side>() }
  /** Also those whose handshake is not over. */
  readonly #sides = new Set<Side>()

  /** `find` gives the streams of a peer's present life. */
  constructor(stage: Stage, program: Program, find: (peer: string) => Streams) {
    this.#stage = stage
    this.#program = program
    this.#find = find
  }

  /** Ends in `opened` or `closed`, by me. */
  dial(peer: string): void {
    const giveUpAt = this.#stage.agenda.now + DIAL_TIMEOUT_MS
    connect(this.#stage, {
      from: this.#program.machine,
      to: this.#find(peer).#program.machine,
      port: 'agent',
      synAtMs: SYN_AT_MS,
      untilMs: DIAL_TIMEOUT_MS,
      answered: (reach) => {
        if (!this.#program.isAlive) return
        if (reach === 'accepted') this.#greet(peer, giveUpAt)
        else this.#program.whenRunning(() => this.#dialFailed(peer))
      },
    })
  }

  /** False without an open stream: nothing was sent. */
  send(to: string, via: Via, message: Message): boolean {
    const mine = via === 'theirs' ? undefined : this.#open.me.get(to)
    const side = mine ?? (via === 'mine' ? undefined : this.#open.them.get(to))
    if (side === undefined) return false
    side.end.send(message)
    return true
  }

  /** Cuts all connections with a peer. My stream's end is not reported, theirs is. */
  abort(peer: string): void {
    const theirs = this.#open.them.get(peer)
    for (const side of this.#sides) if (side.peer === peer) this.#cut(side)
    // Not while the core is still being heard out.
    if (theirs !== undefined) this.#stage.agenda.at(this.#stage.agenda.now, () => this.#report(theirs))
  }

  /** The program has ended. Its kernel tells the peers, if it is still there. */
  end(kernel: 'lives' | 'is gone'): void {
    for (const { end } of this.#sides) {
      if (kernel === 'lives') end.abort()
      else end.vanish()
    }
  }

  received(side: Side, frame: Frame): void {
    if (this.#program.isRunning) this.#hear(side, frame)
    else this.#hold(side, frame)
  }

  reset(side: Side): void {
    this.#program.whenRunning(() => {
      if (!this.#sides.has(side)) return
      const wasOpen = side.isOpen
      this.#cut(side)
      if (wasOpen) this.#report(side)
      else if (side.by === 'me') this.#dialFailed(side.peer)
    })
  }

  #greet(peer: string, giveUpAt: number): void {
    const other = this.#find(peer)
    const [mine, theirs] = End.pair<Frame>(this.#stage, this.#program.machine, other.#program.machine)
    const side = this.#add(new Side(this, peer, 'me', mine))
    other.#add(new Side(other, this.#program.machine.name, 'them', theirs))
    side.end.send(this.#greeting(1))
    this.#stage.agenda.at(giveUpAt, () => {
      if (!side.isGreeted) this.#program.whenRunning(() => this.#expire(side))
    })
  }

  #expire(side: Side): void {
    if (this.#sides.has(side) && !side.isGreeted) this.#dialFailed(side.peer)
  }

  /** Whatever connection there is to the peer is half-dead: the adapter cuts it too. */
  #dialFailed(peer: string): void {
    this.abort(peer)
    this.#program.take({ kind: 'closed', peer, by: 'me' })
  }

  #hear(side: Side, frame: Frame): void {
    if (frame.kind === 'greeting') this.#hearGreeting(side, frame)
    else if (side.isOpen) this.#program.take({ kind: 'message', from: side.peer, message: frame })
  }

  // Apart from `received`, so that only what has to wait costs a closure.
  #hold(side: Side, frame: Frame): void {
    this.#program.whenRunning(() => this.#hear(side, frame))
  }

  #hearGreeting(side: Side, { step, incarnation }: Greeting): void {
    if (!side.end.isOpen) return
    if (step < HANDSHAKE_STEPS) side.end.send(this.#greeting(step + 1))
    if (step < HANDSHAKE_STEPS - 1) return
    const { peer, by } = side
    const earlier = this.#open[by].get(peer)
    if (earlier !== undefined) this.#cut(earlier)
    side.isGreeted = true
    side.isOpen = true
    this.#open[by].set(peer, side)
    this.#program.take({ kind: 'opened', peer, by, incarnation })
  }

  #greeting(step: number): Greeting {
    return { kind: 'greeting', step, incarnation: this.#program.core.incarnation }
  }

  #add(side: Side): Side {
    side.end.holder = side
    this.#sides.add(side)
    return side
  }

  #cut(side: Side): void {
    side.end.abort()
    this.#sides.delete(side)
    if (side.isOpen) this.#open[side.by].delete(side.peer)
    side.isOpen = false
  }

  #report({ peer, by }: Side): void {
    // Another may have been opened meanwhile.
    if (!this.#open[by].has(peer)) this.#program.take({ kind: 'closed', peer, by })
  }
}

/** One node's side of a stream. */
class Side implements Holder<Frame> {
  readonly peer: string
  readonly by: Owner
  readonly end: End<Frame>
  /** The handshake is over, and since then nothing has ended or replaced it. */
  isOpen = false
  isGreeted = false
  readonly #streams: Streams

  constructor(streams: Streams, peer: string, by: Owner, end: End<Frame>) {
    this.#streams = streams
    this.peer = peer
    this.by = by
    this.end = end
  }

  received(frame: Frame): void {
    this.#streams.received(this, frame)
  }

  reset(): void {
    this.#streams.reset(this)
  }
}
