/**
 * Questions to many on virtual time: the rules that ship, on a network of delays. Dials, frames and the processors of those
 * who send and check them take time; a host that dies says nothing more, and nobody is told.
 */
import {
  type Gathered,
  groupsOf,
  HOP_MS,
  type Hop,
  type Query,
  rowPayload,
  type SignedRow,
} from '../core/convergecast.ts'
import { Inquiry } from '../core/convergecast-inquiry.ts'
import { Relay } from '../core/convergecast-relay.ts'
import { type Ask, Round } from '../core/convergecast-round.ts'
import type { Millis, Roster } from '../core/model.ts'
import { contactsOf, ringOf } from '../core/ring.ts'
import { Agenda } from './agenda.ts'
import { seededRandom } from './random.ts'
import { Signatures } from './signatures.ts'

/** Of a core, at either end: the handshake. */
const DIAL_CPU_MS = 2.5
/** What an aggregator takes to unpack a row and check its signature, the first time with that key. */
const CHECK_CPU_MS = 0.35
/** 1 Gbit/s. */
const BYTES_PER_MS = 125_000
const LATENCY_MS: readonly [Millis, Millis] = [0.2, 3]

export interface ConvergeWorldInit {
  readonly roster: Roster
  readonly seed: number
  /** How long a node takes to look. */
  readonly lookMs: readonly [Millis, Millis]
  readonly rowOf: (node: string) => Uint8Array
  /** As it goes into a frame: what fits, and how large that is. */
  readonly pack: (gathered: Gathered) => { readonly bytes: number; readonly rows: readonly SignedRow[] }
}

export class ConvergeWorld {
  readonly agenda = new Agenda()
  readonly random: () => number
  /** Sizes of the frames with answers that reached the aggregator. */
  readonly frames: number[] = []
  /** Those whom the aggregator asked, in this order. */
  readonly askedByRoot: string[] = []
  /** What a node does to what it hands on; nothing when not given. */
  readonly tampers = new Map<string, (gathered: Gathered) => Gathered>()
  readonly #init: ConvergeWorldInit
  readonly #signatures = new Signatures()
  readonly #dead = new Set<string>()
  readonly #relays = new Map<string, Relay<Own>>()
  readonly #near = new Map<string, ReadonlySet<string>>()
  readonly #busyUntil = new Map<string, Millis>()

  constructor(init: ConvergeWorldInit) {
    this.#init = init
    this.random = seededRandom(init.seed)
  }

  get aggregator(): string {
    return this.#init.roster.aggregators[0]?.node ?? ''
  }

  /** Its host goes silent. */
  kill(node: string): void {
    this.#dead.add(node)
  }

  isDead(node: string): boolean {
    return this.#dead.has(node)
  }

  /** Asks those nodes and lets time pass until it is over. */
  inquire(names: readonly string[], withinMs: Millis): Inquiry {
    const { agenda, random, aggregator } = this
    const query: Query = {
      asker: aggregator,
      nonce: seededNonce(random),
      topic: 'inspection',
      parameters: new Uint8Array(),
      withinMs,
    }
    const keyring = this.#signatures.keyringOf(aggregator)
    const signed = { query, signature: keyring.sign('query', query) }
    const isGenuine = (row: SignedRow) => keyring.verify(row.node, 'row', rowPayload(query.nonce, row), row.signature)
    const isNear = (node: string) => this.#nearOf(aggregator).has(node)
    const inquiry = new Inquiry(agenda.now, { names, withinMs, isNear, isGenuine, random })
    let isOver = false
    const goOn = () => {
      const round = inquiry.next(agenda.now)
      if (round === undefined) isOver = true
      else this.#run(aggregator, round, { query: signed }, goOn)
    }
    goOn()
    while (!isOver) agenda.runUntil(agenda.now + 1)
    return inquiry
  }

  #run(from: string, round: Round, hop: Pick<Hop, 'query'>, onEnd: () => void): void {
    let isEnded = false
    const step = () => {
      if (isEnded || this.#dead.has(from)) return
      for (const ask of round.next(this.agenda.now)) this.#ask(from, ask, hop, round, step)
      if (!round.isOver(this.agenda.now)) return
      isEnded = true
      onEnd()
    }
    this.agenda.at(round.endsAt, step)
    step()
  }

  #ask(
    from: string,
    { to, names, leftMs, withinMs }: Ask,
    { query }: Pick<Hop, 'query'>,
    round: Round,
    step: () => void,
  ) {
    const { agenda } = this
    if (from === this.aggregator) this.askedByRoot.push(to)
    let isReached = this.#nearOf(from).has(to)
    const giveUp = () => {
      round.failed(to, isReached ? 'no-answer' : 'unreachable')
      step()
    }
    let waits = true
    agenda.at(agenda.now + withinMs, () => waits && giveUp())
    const reach = () => {
      if (this.#dead.has(to)) return
      isReached = true
      this.#answer(to, { query, leftMs, names }, (gathered) => {
        const { bytes, rows } = this.#init.pack(gathered)
        const arrival = agenda.now + this.#latency() + bytes / BYTES_PER_MS
        const take = () => {
          if (!waits) return
          waits = false
          if (!round.arrived(to)) return
          const ready = this.#work(from, from === this.aggregator ? rows.length * CHECK_CPU_MS : 0)
          if (from === this.aggregator) this.frames.push(bytes)
          agenda.at(ready, () => {
            round.answered(to, { ...gathered, rows })
            step()
          })
        }
        agenda.at(arrival, take)
      })
    }
    const dialMs = isReached ? 0 : this.#work(from, DIAL_CPU_MS) - agenda.now + 4 * this.#latency() + DIAL_CPU_MS
    agenda.at(agenda.now + dialMs + this.#latency(), reach)
  }

  /** As an agent does. */
  #answer(node: string, hop: Hop, reply: (gathered: Gathered) => void): void {
    const { agenda } = this
    const relay = this.#relayOf(node)
    const { row, names } = relay.take(hop, ({ nonce }) => this.#look(node, nonce))
    const round = new Round({
      groups: groupsOf(names, (each) => this.#nearOf(node).has(each)),
      endsAt: agenda.now + hop.leftMs,
    })
    const lookEnds = Math.min(row.readyAt, agenda.now + hop.leftMs - HOP_MS / 3)
    const brings = () => {
      if (this.#dead.has(node)) return
      relay.done(hop.query.query.nonce)
      const { rows, unheard } = round.end()
      const own = row.readyAt <= agenda.now ? [row.row] : []
      const gathered = { rows: [...own, ...rows], unheard }
      reply(this.tampers.get(node)?.(gathered) ?? gathered)
    }
    this.#run(node, round, hop, () => agenda.at(lookEnds, brings))
  }

  #look(node: string, nonce: string): Own {
    const [from, to] = this.#init.lookMs
    const bytes = this.#init.rowOf(node)
    const signature = this.#signatures.keyringOf(node).sign('row', rowPayload(nonce, { node, bytes }))
    return { readyAt: this.agenda.now + from + (to - from) * this.random(), row: { node, bytes, signature } }
  }

  #relayOf(node: string): Relay<Own> {
    const known = this.#relays.get(node)
    if (known !== undefined) return known
    const { verify } = this.#signatures.keyringOf(node)
    const relay = new Relay<Own>({ node, isAggregator: (name) => name === this.aggregator, verify })
    this.#relays.set(node, relay)
    return relay
  }

  #nearOf(node: string): ReadonlySet<string> {
    const known = this.#near.get(node)
    if (known !== undefined) return known
    const { roster } = this.#init
    const isRoot = node === this.aggregator
    const near = new Set(isRoot ? contactsOf(roster.members, [], this.random) : ringOf(roster).neighboursOf(node))
    this.#near.set(node, near)
    return near
  }

  /** When work that is to be done now is done there, one thing after another. */
  #work(node: string, ms: Millis): Millis {
    const until = Math.max(this.agenda.now, this.#busyUntil.get(node) ?? 0) + ms
    this.#busyUntil.set(node, until)
    return until
  }

  #latency(): Millis {
    const [from, to] = LATENCY_MS
    return from + (to - from) * this.random()
  }
}

interface Own {
  readonly readyAt: Millis
  readonly row: SignedRow
}

function seededNonce(random: () => number): string {
  return Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
}
