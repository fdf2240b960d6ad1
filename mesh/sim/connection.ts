/**
 * A connection between two machines, which keeps the order of what is sent. While nothing is lost a message is one event;
 * from the first that is sent into trouble until all is acknowledged again, the connection runs on the model of TCP.
 */
import type { Machine, Stage } from './stage.ts'
import { TcpEnd } from './tcp.ts'

/**
 * Messages that may wait to be acknowledged; further ones are dropped, as the adapter does when a stream is blocked: about
 * the 256 KiB window of a Yamux stream.
 */
const UNACKED_MAX = 1_000

/** Has one end of a connection. It is told what the kernel knows, whether or not a process runs. */
export interface Holder<M> {
  received(message: M): void
  /** The other side ended the connection, or has lost it. */
  reset(): void
}

/** One end, held by a machine's kernel. */
export class End<M> {
  holder: Holder<M> | undefined
  readonly #stage: Stage
  readonly #machine: Machine
  #peer: End<M> | undefined
  #isOpen = true
  /** When what was sent without trouble has arrived: nothing sent later overtakes it. */
  #arrivedBy = 0
  /** There in times of trouble. */
  #tcp: TcpEnd<M> | undefined

  private constructor(stage: Stage, machine: Machine) {
    this.#stage = stage
    this.#machine = machine
  }

  /** Both ends of a connection that two kernels have just agreed on. */
  static pair<M>(stage: Stage, first: Machine, second: Machine): readonly [End<M>, End<M>] {
    const one = new End<M>(stage, first)
    const other = new End<M>(stage, second)
    one.#peer = other
    other.#peer = one
    return [one, other]
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  send(message: M): void {
    const peer = this.#peer
    if (!this.#isOpen || peer === undefined) return
    if (!this.#isUntroubled(peer)) {
      this.#sendByTcp(peer, message)
      return
    }
    const { agenda, network } = this.#stage
    this.#arrivedBy = Math.max(this.#arrivedBy, agenda.now + network.latency())
    agenda.at(this.#arrivedBy, End.#arrive, peer, message)
  }

  /** Ends the connection. The other side hears of it only if the one packet that says so gets through. */
  abort(): void {
    const peer = this.#peer
    if (!this.#isOpen || peer === undefined) return
    this.vanish()
    const { agenda, network } = this.#stage
    const delay = network.fate(this.#machine.name, peer.#machine.name)
    if (delay !== undefined) agenda.at(Math.max(this.#arrivedBy, agenda.now + delay), End.#reset, peer)
  }

  /** The kernel that held this end is gone: it says nothing, and will know nothing of the connection. */
  vanish(): void {
    this.#isOpen = false
    this.#tcp?.cut()
  }

  static #arrive<T>(this: void, end: End<T>, message: T): void {
    if (end.#isOpen) end.holder?.received(message)
  }

  static #reset<T>(this: void, end: End<T>): void {
    if (!end.#isOpen) return
    end.vanish()
    end.holder?.reset()
  }

  /** Trouble is over when all has arrived and nothing is in the way of more. */
  #isUntroubled(peer: End<M>): boolean {
    if (!peer.#isOpen || peer.#machine.host === 'down') return false
    if (!this.#stage.network.isClean(this.#machine.name, peer.#machine.name)) return false
    if (this.#tcp === undefined) return true
    if (this.#tcp.unacked > 0 || (peer.#tcp?.unacked ?? 0) > 0) return false
    this.#tcp.cut()
    peer.#tcp?.cut()
    this.#tcp = undefined
    peer.#tcp = undefined
    return true
  }

  #sendByTcp(peer: End<M>, message: M): void {
    if (this.#tcp === undefined) {
      const [mine, theirs] = TcpEnd.connect<M>(
        this.#stage.agenda,
        { wire: () => this.#wire(peer), deliver: (heard) => this.#deliver(peer, heard) },
        { wire: () => peer.#wire(this), deliver: (heard) => peer.#deliver(this, heard) },
      )
      this.#tcp = mine
      peer.#tcp = theirs
      if (!peer.#isOpen) theirs.cut()
    }
    if (this.#tcp.unacked < UNACKED_MAX) this.#tcp.send(message)
  }

  /** What comes by TCP waits for what its sender had sent before the trouble. */
  #deliver(from: End<M>, message: M): void {
    const { agenda } = this.#stage
    if (agenda.now < from.#arrivedBy) agenda.at(from.#arrivedBy, End.#arrive, this, message)
    else End.#arrive(this, message)
  }

  /** A kernel that does not know the connection answers a packet of it with a RST. */
  #wire(peer: End<M>): number | undefined {
    if (this.#machine.host === 'down' || peer.#machine.host === 'down') return undefined
    const { agenda, network } = this.#stage
    const delay = network.fate(this.#machine.name, peer.#machine.name)
    if (delay === undefined || peer.#isOpen) return delay
    const back = network.fate(peer.#machine.name, this.#machine.name)
    if (back !== undefined) agenda.at(agenda.now + delay + back, End.#reset, this)
    return delay
  }
}
