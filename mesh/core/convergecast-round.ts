/** A few nodes are asked, each for its own row and those of others, until all have answered or the time is up. */
import { type Gathered, type Group, HEADS_MAX, HOP_MS, type SignedRow, type Unheard } from './convergecast.ts'
import type { Millis } from './model.ts'

/** One node to be asked now. */
export interface Ask {
  readonly to: string
  readonly names: readonly string[]
  /** What it is told that it has. */
  readonly leftMs: Millis
  /** How long to wait for it: by then it is known why nothing came, and there is time to say so. */
  readonly withinMs: Millis
}

export interface RoundInit {
  readonly groups: readonly Group[]
  readonly endsAt: Millis
  /** Nobody is waited for longer than this; until the end when not given. */
  readonly eachMs?: Millis
  /** Whether the row is that node's own; whoever hands rows on need not know. */
  readonly isGenuine?: (row: SignedRow) => boolean
}

/** Of a hop's time, what is left to say why nothing came. */
const TELL_MS = HOP_MS / 3

export class Round {
  readonly endsAt: Millis
  readonly rows = new Map<string, SignedRow>()
  readonly unheard = new Map<string, Unheard>()
  /** Rows that were not asked for there, or are not that node's own. */
  refused = 0
  readonly #init: RoundInit
  #waiting: readonly Group[]
  readonly #asked = new Map<string, Group>()
  /** Their answers are here, and have yet to be read. */
  readonly #arrived = new Map<string, Group>()

  constructor(init: RoundInit) {
    this.#init = init
    this.#waiting = init.groups
    this.endsAt = init.endsAt
  }

  /** Whom to ask now: as many at once as one may have heads. */
  next(nowMs: Millis): readonly Ask[] {
    const { eachMs = Number.POSITIVE_INFINITY } = this.#init
    const leftMs = Math.min(this.endsAt - nowMs, eachMs) - HOP_MS
    if (leftMs <= 0) return []
    const groups = this.#waiting.slice(0, HEADS_MAX - this.#asked.size)
    this.#waiting = this.#waiting.slice(groups.length)
    for (const group of groups) this.#asked.set(group.head, group)
    return groups.map(({ head, names }) => ({ to: head, names, leftMs, withinMs: leftMs + HOP_MS - TELL_MS }))
  }

  /**
   * Its answer came in time. Many come at once, when heads have waited for the same end, and to read and check them all takes
   * longer than a hop: from now on it is waited for that. False: nobody waits for it any more.
   */
  arrived(from: string): boolean {
    const group = this.#asked.get(from)
    if (group === undefined) return false
    this.#asked.delete(from)
    this.#arrived.set(from, group)
    return true
  }

  /** What is in the answer that arrived. */
  answered(from: string, { rows, unheard }: Gathered): void {
    const group = this.#arrived.get(from)
    if (!this.#arrived.delete(from) || group === undefined) return
    const expected = new Set([from, ...group.names])
    for (const row of rows) {
      if (!expected.has(row.node) || this.#init.isGenuine?.(row) === false) this.refused++
      else if (!this.rows.has(row.node)) this.rows.set(row.node, row)
    }
    for (const { node, why } of unheard) if (expected.has(node)) this.#missed(node, why)
    if (!this.rows.has(from)) this.#missed(from, 'no-answer')
  }

  /** No answer came, or what came is none. */
  failed(from: string, why: Unheard): void {
    const wasAsked = this.#asked.delete(from)
    if (this.#arrived.delete(from) || wasAsked) this.#missed(from, why)
  }

  isOver(nowMs: Millis): boolean {
    if (this.#arrived.size > 0) return false
    return nowMs >= this.endsAt || (this.#asked.size === 0 && this.#waiting.length === 0)
  }

  /** What came of it; whoever was asked and has not answered by now will not be heard. */
  end(): Gathered {
    for (const head of this.#asked.keys()) this.#missed(head, 'no-answer')
    this.#asked.clear()
    const missed = [...this.unheard].filter(([node]) => !this.rows.has(node))
    return { rows: [...this.rows.values()], unheard: missed.map(([node, why]) => ({ node, why })) }
  }

  /** One who reached it knows more than one who did not. */
  #missed(node: string, why: Unheard): void {
    if (this.unheard.get(node) !== 'no-answer') this.unheard.set(node, why)
  }
}
