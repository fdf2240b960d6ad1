/**
 * One member probes the others in turn, as SWIM does: directly, then through others, until the period ends. With
 * Lifeguard's local health, who gets no answers gives the next probe more time.
 */
import type { Claim, Packet } from './claim.ts'
import type { Process } from './process.ts'
import { AWARENESS_MAX, type Profile } from './profile.ts'
import type { View } from './view.ts'

interface Probe {
  readonly seq: number
  readonly target: number
  asked: number
  nacks: number
  wasReachedOverTcp: boolean
}

export interface ProberOptions {
  readonly self: Process
  readonly profile: Profile
  readonly view: View
  /** What goes with a packet. */
  claims(): readonly Claim[]
  /** What goes with the ping of a probe of our own. */
  claimsFor(target: number): readonly Claim[]
  /** The round is through: nobody was missed, and a new order begins. */
  roundEnded(): void
  failed(target: number): void
}

export class Prober {
  readonly #options: ProberOptions
  readonly #order: number[]
  #next = 0
  #seq = 0
  #current: Probe | undefined
  /** A period began while the last probe still went on: the next one begins as soon as that ends. */
  #isDue = false
  #ill = 0
  /** Probes for others, by our own number. */
  readonly #relayed = new Map<number, { readonly origin: number; readonly seq: number }>()

  constructor(options: ProberOptions) {
    this.#options = options
    const { self, profile, view } = options
    this.#order = Array.from({ length: view.size }, (_, member) => member).filter((member) => member !== self.index)
    this.#shuffle()
    self.after(self.random() * profile.probeIntervalMs, () => this.#periodBegins())
  }

  /** This member is not well: its probes fail for want of any answer, or others suspect it. */
  feelsWorse(by: number): void {
    if (this.#options.profile.isSelfAware) this.#ill = Math.min(AWARENESS_MAX - 1, this.#ill + by)
  }

  heardAck(seq: number): void {
    if (this.#current?.seq === seq) {
      this.#succeeded()
      return
    }
    const relayed = this.#relayed.get(seq)
    if (relayed === undefined) return
    this.#relayed.delete(seq)
    this.#send('ack', relayed.origin, relayed.seq)
  }

  heardNack(seq: number): void {
    if (this.#current?.seq === seq) this.#current.nacks++
  }

  /**
   * Probes for somebody else, and says so when there is no ack in time: after the probe timeout as in memberlist's code,
   * not after 80 % of it as in the paper. In its LAN profile a nack therefore comes too late for a prober in full health.
   */
  relay(origin: number, { seq, target }: Packet): void {
    const { self, profile } = this.#options
    const own = ++this.#seq
    this.#relayed.set(own, { origin, seq })
    this.#send('ping', target, own)
    self.after(profile.probeTimeoutMs, () => {
      if (this.#relayed.delete(own) && profile.isSelfAware) this.#send('nack', origin, seq)
    })
  }

  #periodBegins(): void {
    const { self, profile } = this.#options
    self.after(profile.probeIntervalMs, () => this.#periodBegins())
    if (this.#current === undefined) this.#probeNext()
    else this.#isDue = true
  }

  #probeNext(): void {
    this.#isDue = false
    const target = this.#nextTarget()
    if (target === undefined) return
    const { self, profile } = this.#options
    const probe = { seq: ++this.#seq, target, asked: 0, nacks: 0, wasReachedOverTcp: false }
    this.#current = probe
    self.send(target, { kind: 'ping', seq: probe.seq, target, claims: this.#options.claimsFor(target) })
    self.after(profile.probeTimeoutMs, () => {
      if (this.#current === probe) this.#askOthers(probe)
    })
    // Set now, not after the first timeout: after a pause both may be late.
    self.after(profile.probeIntervalMs * (this.#ill + 1), () => {
      if (this.#current === probe) this.#ended(probe)
    })
  }

  #askOthers(probe: Probe): void {
    const { self, profile, view } = this.#options
    const { seq, target } = probe
    const others = view.pick(profile.indirectProbes, ({ state }, member) => state === 'alive' && member !== target)
    probe.asked = others.length
    for (const other of others) {
      self.send(other, { kind: 'askFor', seq, target, claims: this.#options.claims() })
    }
    if (profile.pingsOverTcp) {
      self.ask(target, [], () => {
        probe.wasReachedOverTcp = true
      })
    }
  }

  #ended(probe: Probe): void {
    if (probe.wasReachedOverTcp) {
      this.#succeeded()
      return
    }
    // As many as are asked answer within the period, be it with a nack, unless it is we who do not hear them.
    this.feelsWorse(probe.asked === 0 ? 1 : Math.max(0, probe.asked - probe.nacks))
    this.#options.failed(probe.target)
    this.#finish()
  }

  #succeeded(): void {
    this.#ill = Math.max(0, this.#ill - 1)
    this.#finish()
  }

  #finish(): void {
    this.#current = undefined
    if (this.#isDue) this.#probeNext()
  }

  /** Each in turn, so that nobody waits for longer than two rounds; undefined when all are dead. */
  #nextTarget(): number | undefined {
    for (let tried = 0; tried <= this.#order.length; tried++) {
      if (this.#next >= this.#order.length) {
        this.#next = 0
        this.#options.roundEnded()
        this.#shuffle()
      }
      const target = this.#order[this.#next++]
      if (target === undefined) return undefined
      const { state } = this.#options.view.of(target)
      if (state === 'alive' || state === 'suspect') return target
    }
    return undefined
  }

  #send(kind: Packet['kind'], to: number, seq: number): void {
    this.#options.self.send(to, { kind, seq, target: to, claims: this.#options.claims() })
  }

  #shuffle(): void {
    const order = this.#order
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(this.#options.self.random() * (last + 1))
      const [a = 0, b = 0] = [order[last], order[other]]
      order[last] = b
      order[other] = a
    }
  }
}
