/** This node beside the others of its pool: what it tells of itself, and what most of them have. */
import type { Majority } from '../detectors/contract.ts'
import { decodeMajorities, encodeFacts, FACTS_TOPIC, hasRoom, poolOf } from '../detectors/engine/facts-note.ts'
import { NOTE_TTL_MS, type Publisher } from './publisher.ts'

/** Told again well before the note expires. */
const REPEAT_MS = NOTE_TTL_MS / 4

export class PoolView {
  readonly #node: string
  readonly #publisher: Publisher
  readonly #own = new Map<string, string>()
  #majorities: ReadonlyMap<string, Majority> = new Map()
  #isNews = false
  #repeatAt = 0

  constructor(node: string, publisher: Publisher) {
    this.#node = node
    this.#publisher = publisher
  }

  /** As Host.majority. What is too long, or one too many, is not told. */
  majority(fact: string, own: string): Majority | undefined {
    if (this.#own.get(fact) !== own && hasRoom(this.#own.keys(), fact, own)) {
      this.#own.set(fact, own)
      this.#isNews = true
    }
    return this.#majorities.get(fact)
  }

  /** What the aggregator tells of all pools. Throws an Error for what is no such note. */
  hear(bytes: Uint8Array): void {
    const me = this.#publisher.mesh?.roster.members.find(({ node }) => node === this.#node)
    const mine = me === undefined ? undefined : poolOf(me)
    const ours = decodeMajorities(bytes).filter(({ pool }) => pool === mine)
    this.#majorities = new Map(ours.map(({ fact, ...majority }) => [fact, majority]))
  }

  /** Tells what this node has, if it is news, or was told long ago. */
  tell(nowMs: number): void {
    if (this.#own.size === 0 || (!this.#isNews && nowMs < this.#repeatAt)) return
    this.#isNews = false
    this.#repeatAt = nowMs + REPEAT_MS
    this.#publisher.publish(FACTS_TOPIC, encodeFacts(Object.fromEntries(this.#own)), NOTE_TTL_MS)
  }
}
