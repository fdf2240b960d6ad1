/**
 * TCP as far as it matters to a failure detector: in order, acknowledged, and resent only after a timeout that doubles
 * each time. Loss therefore shows as delay, and as the delay of everything behind it.
 */
import type { Agenda } from './agenda.ts'

/**
 * What the retransmission timeout is above the smoothed round trip, at least: Linux' 200 ms and the granularity of its
 * timers. Fitted to the time an open stream takes to heal after 20, 40 and 90 s of dropped packets (docs/protocol.md
 * section 1).
 */
const RTO_MARGIN_MS = 208
/**
 * A round trip measured over a loss counts no more than this: Linux takes the variance over windows, so that one bad sample
 * weighs less than RFC 6298 would have it. Fitted to the delays at 30 % loss.
 */
const ROUND_TRIP_SAMPLE_MAX_MS = 200
/** TCP_RTO_MAX in Linux. */
const RTO_MAX_MS = 120_000
/** Packets that may be under way at a time: Linux' initial congestion window; 1 after a timeout, then 1 more an ack. */
const WINDOW_MAX = 10
/** A packet behind which a later one has arrived is lost, if it was sent longer ago than this: a round trip and a bit. */
const REORDERING_MS = 5

/** Sends one packet: how long it takes, or undefined when it is lost. */
export type Wire = () => number | undefined

/** Every packet acknowledges what its sender has, so data on the way back saves a lost acknowledgement. */
interface Packet<M> {
  readonly data?: { readonly seq: number; readonly message: M }
  readonly sentAt: number
  readonly upTo: number
  /** When the packet was sent that this one answers (timestamps, RFC 7323): after a loss, the first that got through. */
  readonly echo: number
  /** What has arrived behind a gap (SACK). */
  readonly selective: ReadonlySet<number>
}

/** One end of a connection. */
export class TcpEnd<M> {
  readonly #agenda: Agenda
  readonly #wire: Wire
  readonly #deliver: (message: M) => void
  readonly #unacked = new Map<number, M>()
  readonly #arrived = new Map<number, M>()
  /** Of what is unacked, what the other end is known to have. */
  readonly #received = new Set<number>()
  /** When what is under way was sent; what is held to be lost is no longer in it. */
  readonly #sentAt = new Map<number, number>()
  #peer: TcpEnd<M> | undefined
  #next = 0
  #firstUnacked = 0
  #expected = 0
  #timeouts = 0
  #window = WINDOW_MAX
  #roundTrip = 0
  #variation = 0
  #echo = 0
  #timer = 0
  #packetsSent = 0
  #isCut = false

  private constructor(agenda: Agenda, wire: Wire, deliver: (message: M) => void) {
    this.#agenda = agenda
    this.#wire = wire
    this.#deliver = deliver
  }

  /** Both ends of a new connection: `there` is the wire from the first to the second, `back` the other way. */
  static connect<M>(
    agenda: Agenda,
    first: { readonly wire: Wire; deliver(message: M): void },
    second: { readonly wire: Wire; deliver(message: M): void },
  ): readonly [TcpEnd<M>, TcpEnd<M>] {
    const one = new TcpEnd<M>(agenda, first.wire, first.deliver)
    const other = new TcpEnd<M>(agenda, second.wire, second.deliver)
    one.#peer = other
    other.#peer = one
    return [one, other]
  }

  /** Messages that the other end is not known to have. */
  get unacked(): number {
    return this.#unacked.size
  }

  send(message: M): void {
    const seq = this.#next++
    this.#unacked.set(seq, message)
    this.#fillWindow()
    if (this.#unacked.size === 1) this.#setTimer()
  }

  /** This end is gone: it neither sends nor hears any more. */
  cut(): void {
    this.#isCut = true
    this.#unacked.clear()
  }

  #transmit(seq: number): void {
    const message = this.#unacked.get(seq)
    if (message === undefined) return
    this.#sentAt.set(seq, this.#agenda.now)
    this.#put({ seq, message })
  }

  #put(data?: Packet<M>['data']): void {
    this.#packetsSent++
    const delay = this.#wire()
    if (delay === undefined) return
    const packet = {
      ...(data === undefined ? {} : { data }),
      sentAt: this.#agenda.now,
      upTo: this.#expected,
      echo: this.#echo,
      selective: new Set(this.#arrived.keys()),
    }
    if (this.#peer !== undefined) this.#agenda.at(this.#agenda.now + delay, TcpEnd.#receive, this.#peer, packet)
  }

  static #receive<T>(this: void, end: TcpEnd<T>, packet: Packet<T>): void {
    end.#hear(packet)
  }

  #hear({ data, sentAt, upTo, echo, selective }: Packet<M>): void {
    if (this.#isCut) return
    this.#acked(upTo, echo, selective)
    if (data === undefined) return
    if (data.seq === this.#expected) this.#echo = sentAt
    if (data.seq >= this.#expected) this.#arrived.set(data.seq, data.message)
    const before = this.#packetsSent
    for (let next = this.#arrived.get(this.#expected); next !== undefined; next = this.#arrived.get(this.#expected)) {
      this.#arrived.delete(this.#expected++)
      this.#deliver(next)
      if (this.#isCut) return
    }
    if (this.#packetsSent === before) {
      this.#put()
    }
  }

  #acked(upTo: number, echo: number, selective: ReadonlySet<number>): void {
    if (upTo > this.#firstUnacked) {
      for (let seq = this.#firstUnacked; seq < upTo; seq++) {
        this.#unacked.delete(seq)
        this.#sentAt.delete(seq)
        this.#received.delete(seq)
      }
      this.#firstUnacked = upTo
      this.#measure(Math.min(this.#agenda.now - echo, ROUND_TRIP_SAMPLE_MAX_MS))
      this.#timeouts = 0
      this.#window = Math.min(this.#window + 1, WINDOW_MAX)
      this.#setTimer()
    }
    const highest = Math.max(-1, ...selective)
    for (const [seq, sentAt] of this.#sentAt) {
      if (selective.has(seq)) this.#received.add(seq)
      const isLost = seq < highest && this.#agenda.now - sentAt >= REORDERING_MS
      if (isLost || selective.has(seq)) this.#sentAt.delete(seq)
    }
    this.#fillWindow()
  }

  /** Sends what is not under way, oldest first, as far as the window allows. */
  #fillWindow(): void {
    for (const seq of this.#unacked.keys()) {
      if (this.#sentAt.size >= this.#window) return
      if (!this.#sentAt.has(seq) && !this.#received.has(seq)) this.#transmit(seq)
    }
  }

  /** RFC 6298, section 2. */
  #measure(sample: number): void {
    if (this.#roundTrip === 0) {
      this.#roundTrip = sample
      this.#variation = sample / 2
      return
    }
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#roundTrip - sample)
    this.#roundTrip = 0.875 * this.#roundTrip + 0.125 * sample
  }

  #setTimer(): void {
    const timer = ++this.#timer
    if (this.#unacked.size === 0) return
    const wait = Math.min(
      (this.#roundTrip + Math.max(4 * this.#variation, RTO_MARGIN_MS)) * 2 ** this.#timeouts,
      RTO_MAX_MS,
    )
    this.#agenda.at(this.#agenda.now + wait, () => {
      if (timer !== this.#timer || this.#isCut) return
      this.#timeouts++
      this.#window = 1
      // All that was under way is held to be lost.
      this.#sentAt.clear()
      this.#fillWindow()
      this.#setTimer()
    })
  }
}
