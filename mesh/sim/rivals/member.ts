/**
 * One member of a SWIM-like group: what it holds of the others, what it believes of what it hears, how it defends itself,
 * and what it passes on.
 */
import type { Claim, Packet, Snapshot, State } from './claim.ts'
import { Prober } from './prober.ts'
import type { Process } from './process.ts'
import { type Profile, pushPullEvery, retransmitsOf, suspicionOf } from './profile.ts'
import { Rumours } from './rumours.ts'
import { Suspicions } from './suspicions.ts'
import { View } from './view.ts'

/** A member that starts again asks somebody for all they hold, and somebody else when no answer comes within this. */
const JOIN_RETRY_MS = 1_000

export interface MemberOptions {
  readonly self: Process
  readonly profile: Profile
  readonly members: number
  /** It starts again while the others run: it has to be told what has become of it. */
  readonly joins: boolean
  opine(subject: number, state: 'suspect' | 'dead' | 'alive'): void
}

export class Member {
  readonly view: View
  readonly #self: Process
  readonly #profile: Profile
  readonly #opine: MemberOptions['opine']
  readonly #rumours: Rumours
  readonly #suspicions: Suspicions
  readonly #prober: Prober
  /** Gossip goes out at this phase of its interval, ms. */
  readonly #gossipPhase: number
  #isGossipSet = false

  constructor({ self, profile, members, joins, opine }: MemberOptions) {
    this.#self = self
    this.#profile = profile
    this.#opine = opine
    this.view = new View(self.index, members, self.random)
    this.#rumours = new Rumours(retransmitsOf(profile, members))
    this.#suspicions = new Suspicions(self, suspicionOf(profile, members), (subject) => {
      this.#believeDead({ ...this.#own(subject), state: 'dead' })
    })
    this.#prober = new Prober({
      self,
      profile,
      view: this.view,
      claims: () => this.#rumours.take(),
      claimsFor: (target) => this.#claimsFor(target, 'suspect', profile.tellsSuspects),
      roundEnded: () => {
        if (profile.gossip !== undefined) this.view.forget(profile.gossip.toTheDeadMs, self.now)
      },
      failed: (target) => this.#believe({ ...this.#own(target), state: 'suspect' }),
    })
    this.#gossipPhase = self.random() * (profile.gossip?.intervalMs ?? 0)
    if (profile.pushPullMs !== undefined) {
      const everyMs = pushPullEvery(profile.pushPullMs, members)
      self.after(self.random() * everyMs, () => this.#pushPullNow(everyMs))
    }
    if (joins) this.#join()
  }

  receive(from: number, packet: Packet): void {
    for (const claim of packet.claims) this.#believe(claim)
    const { seq } = packet
    if (packet.kind === 'ping') {
      this.#self.send(from, {
        kind: 'ack',
        seq,
        target: from,
        claims: this.#claimsFor(from, 'dead', this.#profile.tellsTheDead),
      })
    } else if (packet.kind === 'askFor') this.#prober.relay(from, packet)
    else if (packet.kind === 'ack') this.#prober.heardAck(seq)
    else if (packet.kind === 'nack') this.#prober.heardNack(seq)
  }

  answer(theirs: Snapshot): Snapshot {
    if (theirs.length === 0) return []
    const mine = this.view.snapshot()
    this.#merge(theirs)
    return mine
  }

  /** What it holds of that member, as if it said so for the first time. */
  #own(subject: number): Omit<Claim, 'state'> & { readonly state: State } {
    const { state, incarnation } = this.view.of(subject)
    return { subject, state, incarnation, from: this.#self.index }
  }

  /** Whoever is held for this is told so, if the profile says so, since only it can refute it. */
  #claimsFor(target: number, state: Claim['state'], isTold: boolean): readonly Claim[] {
    const own = this.#own(target)
    return isTold && own.state === state ? [{ ...own, state }] : this.#rumours.take()
  }

  #believe(claim: Claim): void {
    if (claim.subject === this.#self.index) this.#defend(claim)
    else if (claim.state === 'alive') this.#believeAlive(claim)
    else if (claim.state === 'suspect') this.#believeSuspect(claim)
    else this.#believeDead(claim)
  }

  /** An incarnation above any that others hold of it is alive, and only it itself can say so. */
  #defend({ state, incarnation }: Claim): void {
    const mine = this.view.of(this.#self.index).incarnation
    if (incarnation < mine || (state === 'alive' && incarnation === mine)) return
    const subject = this.#self.index
    this.view.set(subject, 'alive', incarnation + 1, this.#self.now)
    this.#prober.feelsWorse(1)
    this.#passOn({ subject, state: 'alive', incarnation: incarnation + 1, from: subject })
  }

  #believeAlive(claim: Claim): void {
    const held = this.view.of(claim.subject)
    if (claim.incarnation <= held.incarnation) return
    const { state } = held
    this.#suspicions.end(claim.subject)
    this.view.set(claim.subject, 'alive', claim.incarnation, this.#self.now)
    this.#passOn(claim)
    if (state !== 'alive') this.#opine(claim.subject, 'alive')
  }

  #believeSuspect(claim: Claim): void {
    const { subject, incarnation, from } = claim
    const held = this.view.of(subject)
    if (incarnation < held.incarnation) return
    if (held.state === 'suspect' && this.#suspicions.confirm(subject, from)) this.#passOn(claim)
    if (held.state !== 'alive') return
    this.view.set(subject, 'suspect', incarnation, this.#self.now)
    this.#suspicions.start(subject, from)
    this.#passOn(claim)
    this.#opine(subject, 'suspect')
  }

  #believeDead(claim: Claim): void {
    const held = this.view.of(claim.subject)
    if (claim.incarnation < held.incarnation || held.state === 'dead' || held.state === 'gone') return
    this.#suspicions.end(claim.subject)
    this.view.set(claim.subject, 'dead', claim.incarnation, this.#self.now)
    this.#passOn(claim)
    this.#opine(claim.subject, 'dead')
  }

  /** What another holds is no word of who found it out: the dead are suspected first, so that they can refute. */
  #merge(theirs: Snapshot): void {
    for (const claim of theirs) {
      if (claim.state === 'alive') this.#believe(claim)
      else this.#believe({ ...claim, state: 'suspect', from: this.#self.index })
    }
  }

  #passOn(claim: Claim): void {
    this.#rumours.add(claim)
    this.#setGossip()
  }

  #setGossip(): void {
    const { gossip } = this.#profile
    if (gossip === undefined || this.#isGossipSet || this.#rumours.isEmpty) return
    this.#isGossipSet = true
    const { intervalMs } = gossip
    const { now } = this.#self
    const passed = Math.floor((now - this.#gossipPhase) / intervalMs)
    this.#self.after((passed + 1) * intervalMs + this.#gossipPhase - now, () => {
      this.#isGossipSet = false
      this.#gossipNow(gossip)
      this.#setGossip()
    })
  }

  #gossipNow({ nodes, toTheDeadMs }: NonNullable<Profile['gossip']>): void {
    const { now } = this.#self
    const others = this.view.pick(nodes, ({ state, since }) => {
      return state === 'alive' || state === 'suspect' || (state === 'dead' && now - since <= toTheDeadMs)
    })
    for (const target of others) {
      const claims = this.#rumours.take()
      if (claims.length > 0) this.#self.send(target, { kind: 'gossip', seq: 0, target, claims })
    }
  }

  #pushPullNow(everyMs: number): void {
    this.#self.after(everyMs, () => this.#pushPullNow(everyMs))
    const [other] = this.view.pick(1, ({ state }) => state === 'alive')
    if (other !== undefined) this.#self.ask(other, this.view.snapshot(), (theirs) => this.#merge(theirs))
  }

  #join(): void {
    let hasJoined = false
    const [other] = this.view.pick(1, () => true)
    if (other === undefined) return
    this.#self.ask(other, this.view.snapshot(), (theirs) => {
      hasJoined = true
      this.#merge(theirs)
    })
    this.#self.after(JOIN_RETRY_MS, () => {
      if (!hasJoined) this.#join()
    })
  }
}
