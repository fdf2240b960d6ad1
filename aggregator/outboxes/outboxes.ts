/**
 * What this aggregator missed of what nodes said, it asks of their outboxes: when it leads for the first time since it was
 * started, when its own disk took nothing for a while, and when a node comes back. With an empty journal it asks all nodes
 * for all they keep, which is how a lost history comes back.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Member } from '../../mesh/core/model.ts'
import { publicKeyOfPeer, verifierOf } from '../../mesh/identity/keys.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import {
  decodeOutboxPage,
  encodeOutboxAsk,
  KEPT_MS,
  OUTBOX_TOPIC,
  type OutboxPage,
  readRecord,
} from '../../outbox/record.ts'
import type { Event, EventKind, StoredEvent } from '../event-model.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { Agenda, type Wanted } from './agenda.ts'
import { Retelling } from './retelling.ts'

/** By node, where it was left off. */
const PLACE_FACT = 'outbox/'

const LOOK_EVERY_MS = 500
const WITHIN_MS = 20_000

/** A node's clock may be behind ours, and what came last may not be on record: so much is asked for once more. */
const MARGIN_MS = 3_600_000

/** Of one node at one time: twice what an outbox of the usual size holds. */
const PAGES_MAX = 128
const EVENTS_PER_NODE_MAX = 5_000

/** Of what waits to be put into the order of its times, characters; more goes on record in several turns. */
const GATHERED_MAX = 64 * 1024 * 1024

/** Appended in one transaction, while the mesh waits. */
const APPENDED_AT_ONCE = 100

/** A node may have said something that nobody heard. */
const CAME_BACK: readonly EventKind[] = ['joined', 'returned', 'recovered', 'agent-up']

const NOT_ON_RECORD = 'what was missed cannot be put on record'

const placeSchema = z.strictObject({ outbox: z.string(), after: z.int().min(0) })
type Place = z.infer<typeof placeSchema>

export interface OutboxesInit {
  readonly journal: Pick<SqliteJournal, 'query' | 'readFact' | 'writeFact'>
  /** They go on record, unless they are there. Throws as the journal does. */
  take(events: readonly Event[]): void
  leads(): boolean
  readonly log: Log
}

export class Outboxes {
  readonly #init: OutboxesInit
  readonly #agenda = new Agenda()
  /** From when on this aggregator may have missed something; undefined: it has asked. Empty: since for ever. */
  #missedSince: string | undefined
  #mesh: Pick<MeshNode, 'ask' | 'roster'> | undefined
  #timer: NodeJS.Timeout | undefined
  #gathered: Event[] = []
  #gatheredSize = 0
  #places = new Map<string, Place>()
  #flushing: Promise<void> | undefined
  /** It was said that nothing can be put on record. */
  #isStuck = false

  /** Before anything is recorded in this life: what is on record now, is of the one before. */
  constructor(init: OutboxesInit) {
    this.#init = init
    const last = init.journal.query({ limit: 1 })[0]
    this.#missedSince = last === undefined ? '' : earlier(last.at, MARGIN_MS)
  }

  start(mesh: Pick<MeshNode, 'ask' | 'roster'>): void {
    this.#mesh = mesh
    this.#timer = setInterval(() => {
      this.#look().catch((error: unknown) => this.#notOnRecord(error))
    }, LOOK_EVERY_MS).unref()
  }

  stop(): void {
    this.#mesh = undefined
    clearInterval(this.#timer)
    this.#agenda.clear()
  }

  /** Nothing could be put on record since then (RFC 3339), and now it can. */
  missedSince(at: string): void {
    const since = earlier(at, MARGIN_MS)
    if (this.#missedSince === undefined || since < this.#missedSince) this.#missedSince = since
  }

  /** An event went on record. */
  stored({ kind, node }: StoredEvent): void {
    if (!CAME_BACK.includes(kind) || !this.#init.leads() || this.#missedSince !== undefined) return
    this.#agenda.want({ node, since: earlier(new Date().toISOString(), KEPT_MS) }, performance.now())
  }

  async #look(): Promise<void> {
    const { leads, log } = this.#init
    const mesh = this.#mesh
    // Who is still to be asked, is when this one leads again.
    if (mesh === undefined || !leads()) return
    if (this.#missedSince !== undefined) {
      const since = this.#missedSince
      this.#missedSince = undefined
      log.info({ since, nodes: mesh.roster.members.length }, 'nodes are asked for what was missed')
      for (const { node } of mesh.roster.members) this.#agenda.want({ node, since }, performance.now())
    }
    await this.#askNext(mesh)
  }

  async #askNext(mesh: Pick<MeshNode, 'ask' | 'roster'>): Promise<void> {
    const { log } = this.#init
    if (this.#mesh === undefined) return
    for (let next = this.#agenda.next(performance.now()); next; next = this.#agenda.next(performance.now())) {
      const wanted = next
      const { node } = wanted
      this.#collect(mesh, wanted)
        .then(() => this.#agenda.answered(node))
        .catch((error: unknown) => {
          const isAgain = this.#agenda.failed(node, performance.now())
          log.debug({ peer: node, err: messageOf(error), isAgain }, 'outbox not read')
        })
        .then(() => this.#askNext(mesh))
        .catch((error: unknown) => this.#notOnRecord(error))
    }
    // Those that did not answer may be down: what the others said does not wait for them.
    if (this.#agenda.asking === 0) await this.#flush()
  }

  /** One page after the other: the next is asked for when this one was taken. */
  async #collect(mesh: Pick<MeshNode, 'ask' | 'roster'>, { node, since }: Wanted): Promise<void> {
    const member = mesh.roster.members.find((one) => one.node === node)
    if (member === undefined) return
    const retelling = new Retelling()
    let place = this.#placeOf(node)
    let events = 0
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const bytes = encodeOutboxAsk({ ...place, since })
      const page = decodeOutboxPage(await mesh.ask(node, OUTBOX_TOPIC, bytes, WITHIN_MS))
      const told = this.#read(mesh.roster.mesh, member, page, retelling)
      events += told.length
      if (events > EVENTS_PER_NODE_MAX) throw new Error(`over ${EVENTS_PER_NODE_MAX} events`)
      await this.#gather(told)
      place = { outbox: page.outbox, after: page.upTo }
      this.#places.set(node, place)
      if (!page.hasMore) return
    }
  }

  /** What is not this member's own, or is no record, is left out, and it is said. */
  #read(mesh: string, member: Member, page: OutboxPage, retelling: Retelling): readonly Event[] {
    const verify = verifierOf(publicKeyOfPeer(member.peerId))
    const now = new Date().toISOString()
    const oldest = earlier(now, KEPT_MS + MARGIN_MS)
    const refused: unknown[] = []
    const told = page.records.flatMap((bytes) => {
      try {
        const record = readRecord(bytes, mesh, verify)
        const { node, serial, outbox, at } = record
        if (node !== member.node || serial !== member.serial || outbox !== page.outbox)
          throw new Error(`a record of ${node} in the outbox of ${member.node}`)
        return at < oldest ? [] : retelling.events(record, now)
      } catch (error) {
        refused.push(error)
        return []
      }
    })
    const log = { peer: member.node, records: refused.length, err: messageOf(refused[0]) }
    if (refused.length > 0) this.#init.log.warn(log, 'records of an outbox refused')
    return told
  }

  #placeOf(node: string): Place {
    const known = this.#places.get(node)
    if (known !== undefined) return known
    const kept = placeSchema.safeParse(JSON.parse(this.#init.journal.readFact(`${PLACE_FACT}${node}`) ?? 'null'))
    return kept.success ? kept.data : { outbox: '', after: 0 }
  }

  async #gather(events: readonly Event[]): Promise<void> {
    this.#gathered.push(...events)
    this.#gatheredSize += JSON.stringify(events).length
    if (this.#gatheredSize > GATHERED_MAX) await this.#flush()
  }

  /** It is tried twice a second, and said once. */
  #notOnRecord(error: unknown): void {
    if (!this.#isStuck) this.#init.log.error({ err: messageOf(error) }, NOT_ON_RECORD)
    this.#isStuck = true
  }

  /** All that was gathered goes on record, once at a time: who gathers more than has room waits for it. */
  async #flush(): Promise<void> {
    if (this.#places.size === 0 && this.#flushing === undefined) return
    this.#flushing ??= this.#putOnRecord().finally(() => {
      this.#flushing = undefined
    })
    await this.#flushing
  }

  /** By its time; then it is written down how far each node was read. */
  async #putOnRecord(): Promise<void> {
    const { take, journal, log } = this.#init
    const [gathered, size, places] = [this.#gathered, this.#gatheredSize, this.#places]
    this.#gathered = []
    this.#gatheredSize = 0
    this.#places = new Map()
    try {
      const events = gathered.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
      for (let at = 0; at < events.length; at += APPENDED_AT_ONCE) {
        take(events.slice(at, at + APPENDED_AT_ONCE))
        await nextTurn()
        // Nothing is lost: how far the nodes were read is not written down.
        if (this.#mesh === undefined) return
      }
      for (const [node, place] of places) journal.writeFact(`${PLACE_FACT}${node}`, JSON.stringify(place))
      this.#isStuck = false
      if (events.length > 0) log.info({ events: events.length, nodes: places.size }, 'what was missed is on record')
    } catch (error) {
      // It is tried again with the next: what is on record already is known by its ids.
      this.#gathered = [...gathered, ...this.#gathered]
      this.#gatheredSize += size
      for (const [node, place] of places) if (!this.#places.has(node)) this.#places.set(node, place)
      throw error
    }
  }
}

function earlier(at: string, byMs: number): string {
  return new Date(Date.parse(at) - byMs).toISOString()
}
