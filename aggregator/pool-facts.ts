/** Takes in what nodes tell of themselves, and while this aggregator leads tells all what most of each pool have. */
import {
  decodeFacts,
  encodeMajorities,
  FACTS_TOPIC,
  type Facts,
  MAJORITIES_TOPIC,
  poolOf,
} from '../detectors/engine/facts-note.ts'
import type { Roster, SignedStatement } from '../mesh/core/model.ts'
import { majoritiesOf } from './majority.ts'

/** At a start, or when a pool is changed, many nodes tell something new within seconds: one note for all of it. */
const TELL_EVERY_MS = 5_000
/** Told again well before the note expires. */
const TTL_MS = 86_400_000
const REPEAT_MS = TTL_MS / 4

export interface PoolFactsSide {
  leads(): boolean
  readonly roster: Roster
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
}

export class PoolFacts {
  readonly #facts = new Map<string, Facts>()
  #side: PoolFactsSide | undefined
  #timer: NodeJS.Timeout | undefined
  #told = ''
  #toldAt = Number.NEGATIVE_INFINITY

  /** Throws an Error for a note under that topic that is none. */
  hear({ statement: { signer, body } }: SignedStatement): void {
    if (body.kind === 'note' && body.topic === FACTS_TOPIC) this.#facts.set(signer, decodeFacts(body.bytes))
  }

  start(side: PoolFactsSide): void {
    this.#side = side
    this.#timer = setInterval(() => this.tell(performance.now()), TELL_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Tells it, if it is news, or was told long ago. */
  tell(nowMs: number): void {
    const side = this.#side
    if (side === undefined) return
    const members = new Map(side.roster.members.map((member) => [member.node, member]))
    for (const node of this.#facts.keys()) if (!members.has(node)) this.#facts.delete(node)
    if (!side.leads()) {
      // Whoever led in between may have told something else.
      this.#told = ''
      return
    }
    const nodes = [...this.#facts].flatMap(([node, facts]) => {
      const member = members.get(node)
      return member === undefined ? [] : [{ pool: poolOf(member), facts }]
    })
    const bytes = encodeMajorities(majoritiesOf(nodes))
    const said = Buffer.from(bytes).toString('base64')
    if (said === this.#told && nowMs - this.#toldAt < REPEAT_MS) return
    this.#told = said
    this.#toldAt = nowMs
    side.publish(MAJORITIES_TOPIC, bytes, TTL_MS)
  }
}
