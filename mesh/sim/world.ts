/**
 * A mesh on virtual time. Nodes run the shipped core; hosts, streams and the second channel are simulated: a dead host
 * swallows everything, a hung one accepts and stays silent, a dead agent's host resets streams and refuses.
 */
import type { HostAnswer, PortResult } from '../core/channel.ts'
import { Core } from '../core/core.ts'
import type { Effect, Input, Message, Notice } from '../core/message.ts'
import type { Certificate, Keyring, Member, Now, Purpose, Roster, Signature } from '../core/model.ts'
import { DEFAULT_TIMING, type Timing } from '../core/timing.ts'
import { Agenda } from './agenda.ts'
import { seededRandom } from './random.ts'

export type HostState = 'up' | 'agentDown' | 'hung' | 'down'

/** One thing the leader said or did, and when (virtual ms). */
export type Record =
  | { readonly at: number; readonly kind: 'commit'; readonly certificate: Certificate }
  | { readonly at: number; readonly kind: 'notice'; readonly notice: Notice }

export interface WorldOptions {
  readonly nodes: number
  readonly zones: number
  readonly seed: number
  readonly timing?: Timing
}

/** One way over a switched network, ms; a dial is about three of them plus the handshake's work. */
const LATENCY_MIN_MS = 0.2
const LATENCY_MAX_MS = 2
const DIAL_MS = 8
/** How the real adapter behaves: see mesh/libp2p. */
const DIAL_TIMEOUT_MS = 2_000
const MUTE_AFTER_MS = 2_000
const LAST_CONNECT_MS = 900
const NOTHING_AFTER_MS = 1_100
const DRAIN_MS = 0.01

interface SimNode {
  readonly name: string
  host: HostState
  boot: number
  core: Core
  tickAt: number
  /** Until then the process does not run: what reaches it waits. */
  pausedUntil: number
}

const LEADER = 'aggregator-1'

export class World {
  readonly agenda = new Agenda()
  readonly records: Record[] = []
  readonly roster: Roster
  messages = 0
  /** Whether a packet sent now from one node to another arrives. A lost one is not sent again. */
  reaches: (from: string, to: string) => boolean = () => true
  readonly #timing: Timing
  readonly #random: () => number
  readonly #nodes = new Map<string, SimNode>()
  /** Open streams, `dialer>peer`, with when the last message over each arrives: a stream keeps its order. */
  readonly #streams = new Map<string, number>()
  readonly #keys = new SignaturesByIdentity()

  constructor({ nodes, zones, seed, timing = DEFAULT_TIMING }: WorldOptions) {
    this.#timing = timing
    this.#random = seededRandom(seed)
    const members = Array.from({ length: nodes }, (_, index) => simMember(`node-${index + 1}`, `zone-${index % zones}`))
    this.roster = {
      mesh: 'sim',
      epoch: 1,
      previous: '',
      seed: `seed-${seed}`,
      members: members.toSorted((a, b) => (a.node < b.node ? -1 : 1)),
      aggregators: [simMember(LEADER, '')],
    }
    for (const { node } of [...this.roster.members, ...this.roster.aggregators]) this.#start(node, 1)
  }

  get leader(): Core {
    return this.#node(LEADER).core
  }

  core(node: string): Core {
    return this.#node(node).core
  }

  commits(): readonly { readonly at: number; readonly certificate: Certificate }[] {
    return this.records.filter((record) => record.kind === 'commit')
  }

  /** Changes what a node's host does, as pulling a plug or pressing a power button would. */
  setHost(name: string, host: HostState): void {
    const node = this.#node(name)
    const was = node.host
    node.host = host
    if (host === 'agentDown') this.#cutAll(name)
    if (host !== 'up' || was === 'up') return
    // A hung host wakes up where it was; a dead one, and a dead agent, start again.
    if (was === 'hung') this.#schedule(node)
    else {
      this.#cutAll(name)
      this.#start(name, node.boot + 1)
    }
  }

  /** The process of a node does not run for a while, as when it is stopped or starved; its host goes on. */
  pause(name: string, ms: number): void {
    this.#node(name).pausedUntil = this.agenda.now + ms
  }

  #start(name: string, boot: number): void {
    const incarnation = { serial: 1, boot, refutations: 0 }
    const { roster } = this
    const keyring = this.#keys.keyringOf(name)
    const nonce = () => Math.floor(this.#random() * 2 ** 48).toString(16)
    const lead = { term: 1, rosterHash: 'sim', standing: [], heartbeats: false, nonce }
    const core = new Core(this.#now(), {
      node: name,
      incarnation,
      roster,
      rosterBytes: new Uint8Array(0),
      keyring,
      timing: this.#timing,
      random: this.#random,
      ...(name === LEADER ? { lead } : {}),
    })
    const node = { name, host: 'up' as const, boot, core, tickAt: Number.POSITIVE_INFINITY, pausedUntil: 0 }
    this.#nodes.set(name, node)
    this.#schedule(node)
  }

  #step(node: SimNode, input: Input): void {
    if (node.host !== 'up' || this.#nodes.get(node.name) !== node) return
    if (this.agenda.now < node.pausedUntil) {
      // As the adapter does: what has arrived is heard before the timers that are late.
      const at = input.kind === 'tick' ? node.pausedUntil + DRAIN_MS : node.pausedUntil
      this.agenda.at(at, () => this.#step(node, input))
      return
    }
    for (const effect of node.core.step(this.#now(), input)) this.#perform(node, effect)
    this.#schedule(node)
  }

  #schedule(node: SimNode): void {
    const at = node.core.nextTickAt
    if (at === node.tickAt && at > this.agenda.now) return
    node.tickAt = at
    this.agenda.at(at, () => {
      if (node.tickAt !== at) return
      node.tickAt = Number.POSITIVE_INFINITY
      this.#step(node, { kind: 'tick' })
    })
  }

  #perform(node: SimNode, effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(node, effect)
        return
      case 'dial':
        this.#dial(node, effect.peer)
        return
      case 'abort':
        this.#abort(node.name, effect.peer)
        return
      case 'askHost':
        this.#ask(node, effect.subject, effect.control)
        return
      case 'commit':
        this.records.push({ at: this.agenda.now, kind: 'commit', certificate: effect.certificate })
        return
      case 'notice':
        this.records.push({ at: this.agenda.now, kind: 'notice', notice: effect.notice })
        return
      case 'heard':
      case 'rosterOffered':
      case 'readHeartbeat':
      case 'dropped':
        return
    }
  }

  #send(node: SimNode, { to, via, message }: { to: string; via: string; message: Message }): void {
    const mine = `${node.name}>${to}`
    const theirs = `${to}>${node.name}`
    const stream = via === 'theirs' || (via === 'any' && !this.#streams.has(mine)) ? theirs : mine
    const lastArrival = this.#streams.get(stream)
    if (lastArrival === undefined || !this.reaches(node.name, to)) return
    this.messages++
    const arrival = Math.max(lastArrival, this.agenda.now + this.#latency())
    this.#streams.set(stream, arrival)
    this.agenda.at(arrival, () => {
      if (this.#streams.has(stream)) this.#step(this.#node(to), { kind: 'message', from: node.name, message })
    })
  }

  #dial(node: SimNode, peer: string): void {
    const target = this.#node(peer)
    const answers = this.reaches(node.name, peer) && this.reaches(peer, node.name)
    const isMute = target.host === 'down' || target.host === 'hung' || !answers
    this.agenda.at(this.agenda.now + (isMute ? DIAL_TIMEOUT_MS : DIAL_MS + this.#latency()), () => {
      const to = this.#node(peer)
      const isOpen = to.host === 'up' && node.host === 'up' && !isMute
      if (!isOpen) {
        this.#step(node, { kind: 'closed', peer, by: 'me' })
        return
      }
      this.#streams.set(`${node.name}>${peer}`, this.agenda.now)
      this.#step(node, { kind: 'opened', peer, by: 'me', incarnation: to.core.incarnation })
      this.#step(to, { kind: 'opened', peer: node.name, by: 'them', incarnation: node.core.incarnation })
    })
  }

  /** The aborting side is not told of its own stream's end, as with the real adapter. */
  #abort(node: string, peer: string): void {
    this.#streams.delete(`${node}>${peer}`)
    const wasTheirs = this.#streams.delete(`${peer}>${node}`)
    const other = this.#node(peer)
    this.#step(other, { kind: 'closed', peer: node, by: 'them' })
    if (wasTheirs) this.#step(other, { kind: 'closed', peer: node, by: 'me' })
  }

  #cutAll(name: string): void {
    for (const stream of [...this.#streams.keys()]) {
      const [dialer = '', peer = ''] = stream.split('>')
      if (dialer !== name && peer !== name) continue
      this.#streams.delete(stream)
      if (dialer !== name) this.#step(this.#node(dialer), { kind: 'closed', peer: name, by: 'me' })
      else this.#step(this.#node(peer), { kind: 'closed', peer: name, by: 'them' })
    }
  }

  #ask(node: SimNode, subject: string, control: string | undefined): void {
    const sees = (other: string): HostState => {
      const isThere = this.reaches(node.name, other) && this.reaches(other, node.name)
      return isThere ? this.#node(other).host : 'down'
    }
    const reaches = control !== undefined && sees(control) !== 'down'
    const answerIn = (ms: number, host: HostState) => {
      const answer: HostAnswer = { ports: portsOf(host), control: reaches }
      this.agenda.at(this.agenda.now + ms, () => this.#step(node, { kind: 'hostAnswer', subject, answer }))
    }
    const delayOf = (host: HostState) => (host === 'hung' ? MUTE_AFTER_MS : DIAL_MS)
    const host = sees(subject)
    if (host !== 'down') {
      answerIn(delayOf(host), host)
      return
    }
    // The connects go on for a while: a host that is back by the last of them answers it.
    this.agenda.at(this.agenda.now + LAST_CONNECT_MS, () => {
      const later = sees(subject)
      answerIn(later === 'down' ? NOTHING_AFTER_MS - LAST_CONNECT_MS : delayOf(later), later)
    })
  }

  #latency(): number {
    return LATENCY_MIN_MS + (LATENCY_MAX_MS - LATENCY_MIN_MS) * this.#random()
  }

  #now(): Now {
    return { ms: this.agenda.now, wallMs: 1_700_000_000_000 + this.agenda.now }
  }

  #node(name: string): SimNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`no node ${name} in this world`)
    return node
  }
}

function portsOf(host: HostState): { agent: PortResult; kubelet: PortResult } {
  switch (host) {
    case 'up':
      return { agent: 'userland', kubelet: 'userland' }
    case 'agentDown':
      return { agent: 'refused', kubelet: 'userland' }
    case 'hung':
      return { agent: 'mute', kubelet: 'mute' }
    case 'down':
      return { agent: 'nothing', kubelet: 'nothing' }
  }
}

function simMember(node: string, zone: string): Member {
  return { node, serial: 1, zone, roles: [], peerId: node, hosts: [], meshPort: 0, kubeletPort: 0 }
}

/** Stands in for Ed25519: a signature is good for the very object it was made for, by the one who made it. */
class SignaturesByIdentity {
  readonly #made = new WeakMap<Signature, { signer: string; purpose: Purpose; payload: unknown }>()

  keyringOf(node: string): Keyring {
    return {
      sign: (purpose, payload) => {
        const signature = new Uint8Array(1)
        this.#made.set(signature, { signer: node, purpose, payload })
        return signature
      },
      verify: (signer, purpose, payload, signature) => {
        const made = this.#made.get(signature)
        return made?.signer === signer && made.purpose === purpose && made.payload === payload
      },
    }
  }
}
