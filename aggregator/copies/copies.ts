/**
 * A second copy of every event. The aggregator that leads gives the others what it puts on record, over the mesh; each
 * appends it to a journal of its own, under the ids that the events have. What one had alone when it went down, it gives
 * to whoever leads when it is back. Nothing that is decided waits for any of it.
 */
import { randomUUID } from 'node:crypto'
import type { Questions } from '../../mesh/libp2p/questions.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import type { Event, StoredEvent } from '../event-model.ts'
import { everySo, retried } from '../retried.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { JOURNAL_NAME } from '../store/store-name.ts'
import { APPEND_TOPIC, encodeAppendAnswer, readBatch } from './batch.ts'
import { Feed } from './feed.ts'
import { Given } from './given.ts'
import { SecondPlace, type SecondPlaceInit } from './second-place.ts'
import type { CopiesView } from './view.ts'

/** Of each other aggregator, how far it was given what stands here. */
const GIVEN_FACT = 'copies/given/'

/**
 * One that stands by records what it hears from nodes, as the leader does. What the leader has recorded, too, comes from it
 * within that time, and need not be given back to it.
 */
const STANDBY_EVERY_MS = 10_000

/** How far the others are is written down this often: what is lost of it, is sent to them once more. */
const KEEP_EVERY_MS = 5_000

const NOT_LOOKED_AFTER = 'copies are not looked after'

export interface CopiesInit extends Omit<SecondPlaceInit, 'others'> {
  readonly node: string
  readonly journal: Pick<SqliteJournal, 'trail' | 'query' | 'byId' | 'readFact' | 'writeFact'>
  /** Copies go on record. Answers the place of each, whether it was there before or not. Throws as the journal does. */
  take(events: readonly Event[]): readonly number[]
  /** Who leads; empty: nobody that this one knows of. */
  leader(): string
  readonly questions: Questions
  /** A place of the history besides, that tells by `carried` how far it has it; undefined: there is none. */
  readonly history?: string | undefined
}

export class Copies {
  readonly #init: CopiesInit
  readonly #second: SecondPlace
  readonly #feeds = new Map<string, Feed>()
  readonly #name: string
  #mesh: Pick<MeshNode, 'ask' | 'roster'> | undefined
  #stop: () => void = () => {}
  #kept = new Map<string, string>()
  #carriedUpTo = 0

  constructor(init: CopiesInit) {
    this.#init = init
    const { journal } = init
    this.#name = journal.readFact(JOURNAL_NAME) ?? randomUUID()
    journal.writeFact(JOURNAL_NAME, this.#name)
    const { history } = init
    const besides = history === undefined ? [] : [history]
    this.#second = new SecondPlace({ ...init, others: () => [...this.#others, ...besides] })
    init.questions.on(APPEND_TOPIC, async (from, bytes) => this.#append(from, bytes))
  }

  start(mesh: Pick<MeshNode, 'ask' | 'roster'>): void {
    this.#mesh = mesh
    const turns = [
      [STANDBY_EVERY_MS, () => this.#lookAtFeeds()],
      [KEEP_EVERY_MS, () => this.#keep()],
    ] as const
    this.#stop = everySo(turns, NOT_LOOKED_AFTER, this.#init.log)
    this.#second.start()
    this.#lookAtFeeds()
  }

  stop(): void {
    this.#stop()
    for (const feed of this.#feeds.values()) feed.stop()
    this.#second.stop()
    retried(() => this.#keep(), NOT_LOOKED_AFTER, this.#init.log)()
  }

  /** An event went on record. */
  stored(event: Pick<StoredEvent, 'seq'>): void {
    this.#second.stored(event)
    if (this.#init.leads()) this.#lookAtFeeds()
  }

  /** The history elsewhere has all up to this place of the journal; less than before, when it was set back. */
  carried(upTo: number): void {
    this.#carriedUpTo = upTo
    this.#tellPlaces()
  }

  async acknowledged(eventId: string): Promise<boolean> {
    return await this.#second.acknowledged(eventId)
  }

  view(): CopiesView {
    return this.#second.view()
  }

  get #others(): readonly string[] {
    const { aggregators } = this.#mesh?.roster ?? { aggregators: [] }
    return aggregators.map(({ node }) => node).filter((node) => node !== this.#init.node)
  }

  #last(): number {
    return this.#init.journal.query({ limit: 1 })[0]?.seq ?? 0
  }

  /** The leader gives to all; who stands by, to the leader. */
  #lookAtFeeds(): void {
    const others = this.#others
    for (const [node, feed] of this.#feeds) {
      if (others.includes(node)) continue
      feed.stop()
      this.#feeds.delete(node)
    }
    const { leads, leader } = this.#init
    for (const node of leads() ? others : others.filter((other) => other === leader())) this.#feedTo(node).look()
  }

  #feedTo(to: string): Feed {
    const { journal, log } = this.#init
    const known = this.#feeds.get(to)
    if (known !== undefined) return known
    const given = new Given(journal.readFact(`${GIVEN_FACT}${to}`))
    const ask: MeshNode['ask'] = async (...question) => {
      if (this.#mesh === undefined) throw new Error('the mesh is starting')
      return await this.#mesh.ask(...question)
    }
    const onGiven = () => this.#tellPlaces()
    const feed = new Feed({
      to,
      given,
      from: this.#name,
      rows: (after) => journal.trail.rows(after),
      ask,
      onGiven,
      log,
    })
    this.#feeds.set(to, feed)
    return feed
  }

  #tellPlaces(): void {
    this.#second.has(Math.max(this.#carriedUpTo, ...[...this.#feeds.values()].map(({ given }) => given.upTo)))
  }

  async #append(from: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (!this.#others.includes(from)) throw new Error(`${from} is no aggregator`)
    const { from: theirs, to: ours, events } = readBatch(bytes)
    const feed = this.#feedTo(from)
    const { given } = feed
    given.met(theirs)
    if (ours === this.#name && events.length > 0) {
      for (const seq of this.#init.take(events)) given.has(seq)
    }
    if (this.#init.leads()) feed.isBack()
    return encodeAppendAnswer({ journal: this.#name, last: this.#last() })
  }

  #keep(): void {
    for (const [node, { given }] of this.#feeds) {
      const fact = given.toKeep()
      if (this.#kept.get(node) === fact) continue
      this.#init.journal.writeFact(`${GIVEN_FACT}${node}`, fact)
      this.#kept.set(node, fact)
    }
  }
}
