/**
 * A second copy of every event. The aggregator that leads gives the others what it puts on record, over the mesh; each
 * appends it to a journal of its own, under the ids that the events have. What one had alone when it went down, it gives
 * to whoever leads when it is back. Nothing that is decided waits for any of it.
 */
import { randomUUID } from 'node:crypto'
import type { Log } from '../../common/log.ts'
import type { Questions } from '../../mesh/libp2p/questions.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import type { Event, StoredEvent } from '../event-model.ts'
import { everySo, retried } from '../retried.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { JOURNAL_NAME } from '../store/store-name.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { SingleCopyAlarm } from './alarm.ts'
import { APPEND_TOPIC, encodeAppendAnswer, readBatch } from './batch.ts'
import { Feed } from './feed.ts'
import { Given } from './given.ts'
import type { CopiesView } from './view.ts'

/** Of each other aggregator, how far it was given what stands here. */
const GIVEN_FACT = 'copies/given/'

/** How late it may be seen that somebody has waited long enough. */
const LOOK_EVERY_MS = 100

/**
 * One that stands by records what it hears from nodes, as the leader does. What the leader has recorded, too, comes from it
 * within that time, and need not be given back to it.
 */
const STANDBY_EVERY_MS = 10_000

/** How far the others are is written down this often: what is lost of it, is sent to them once more. */
const KEEP_EVERY_MS = 5_000

const NOT_LOOKED_AFTER = 'copies are not looked after'

export interface CopiesInit {
  readonly node: string
  readonly journal: Pick<SqliteJournal, 'trail' | 'query' | 'byId' | 'readFact' | 'writeFact'>
  /** Copies go on record. Answers the place of each, whether it was there before or not. Throws as the journal does. */
  take(events: readonly Event[]): readonly number[]
  leads(): boolean
  /** Who leads; empty: nobody that this one knows of. */
  leader(): string
  /** Events begin to have one copy alone, or have two again. */
  tell(isSingle: boolean, behind: number, others: readonly string[]): void
  readonly questions: Questions
  readonly log: Log
}

export class Copies {
  readonly #init: CopiesInit
  readonly #acknowledgements = new Acknowledgements()
  readonly #alarm = new SingleCopyAlarm()
  readonly #feeds = new Map<string, Feed>()
  readonly #name: string
  #mesh: Pick<MeshNode, 'ask' | 'roster'> | undefined
  #stop: () => void = () => {}
  #isSingle = false
  #kept = new Map<string, string>()

  constructor(init: CopiesInit) {
    this.#init = init
    const { journal } = init
    this.#name = journal.readFact(JOURNAL_NAME) ?? randomUUID()
    journal.writeFact(JOURNAL_NAME, this.#name)
    this.#alarm.recorded(this.#last(), performance.now())
    init.questions.on(APPEND_TOPIC, async (from, bytes) => this.#append(from, bytes))
  }

  start(mesh: Pick<MeshNode, 'ask' | 'roster'>): void {
    this.#mesh = mesh
    const turns = [
      [LOOK_EVERY_MS, () => this.#look()],
      [STANDBY_EVERY_MS, () => this.#lookAtFeeds()],
      [KEEP_EVERY_MS, () => this.#keep()],
    ] as const
    this.#stop = everySo(turns, NOT_LOOKED_AFTER, this.#init.log)
    this.#lookAtFeeds()
  }

  stop(): void {
    this.#stop()
    for (const feed of this.#feeds.values()) feed.stop()
    this.#acknowledgements.end(this.#others.length > 0)
    retried(() => this.#keep(), NOT_LOOKED_AFTER, this.#init.log)()
  }

  /** An event went on record. */
  stored({ seq }: Pick<StoredEvent, 'seq'>): void {
    this.#alarm.recorded(seq, performance.now())
    if (this.#init.leads()) this.#lookAtFeeds()
  }

  /**
   * Resolves when another aggregator has the event, too, with false; or after a second with true: it is a single copy. At
   * once with false where no second copy is to be expected.
   */
  async acknowledged(eventId: string): Promise<boolean> {
    const seq = this.#init.journal.byId(eventId)?.seq
    if (seq === undefined || this.#others.length === 0) return false
    return await this.#acknowledgements.of(seq, performance.now())
  }

  view(): CopiesView {
    const others = this.#others
    return { others, behind: others.length === 0 ? 0 : this.#alarm.behind, isSingle: this.#isSingle }
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
    const onGiven = () => this.#given()
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

  #given(): void {
    const upTo = Math.max(0, ...[...this.#feeds.values()].map(({ given }) => given.upTo))
    this.#acknowledgements.copied(upTo)
    this.#alarm.copied(upTo, performance.now())
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

  #look(): void {
    const nowMs = performance.now()
    this.#acknowledgements.tick(nowMs)
    const others = this.#others
    const isSingle = others.length > 0 && this.#init.leads() && this.#alarm.look(nowMs)
    this.#isSingle = isSingle
    if (this.#init.leads()) this.#init.tell(isSingle, this.#alarm.behind, others)
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
