/** A node's side of a question to many: which of them it answers, and what it remembers of them. */
import type { Hop, Query } from './convergecast.ts'
import type { Keyring } from './model.ts'

/** Of one nonce: once in each tree, once by name, and once more for an answer that was lost on its way. */
const HOPS_PER_NONCE = 4
/** A member that replays old questions makes us look again at most once in so many new ones. */
const NONCES_KEPT = 1_024
/** Of different questions under way: people ask one at a time. */
const AT_ONCE = 8

export interface RelayInit {
  readonly node: string
  readonly isAggregator: (node: string) => boolean
  readonly verify: Keyring['verify']
}

interface Known<R> {
  hops: number
  readonly row: R
}

/** `R`: what stands for a node's row while it is made. */
export class Relay<R> {
  readonly #init: RelayInit
  readonly #known = new Map<string, Known<R>>()
  readonly #underWay = new Map<string, number>()

  constructor(init: RelayInit) {
    this.#init = init
  }

  /**
   * This node's row, made at the first hop of a question, and whom to ask. Throws an Error for a question that no
   * aggregator of the roster signed, or that is asked too often.
   */
  take({ query: { query, signature }, names, leftMs }: Hop, makeRow: (query: Query) => R) {
    const { node, isAggregator, verify } = this.#init
    if (!isAggregator(query.asker) || !verify(query.asker, 'query', query, signature)) {
      throw new Error('no aggregator asked this')
    }
    if (leftMs > query.withinMs) throw new Error('more time is left than there was')
    const known = this.#known.get(query.nonce)
    if ((known?.hops ?? 0) >= HOPS_PER_NONCE) throw new Error('asked before')
    if (!this.#underWay.has(query.nonce) && this.#underWay.size >= AT_ONCE) throw new Error('too many questions')
    const kept = known ?? { hops: 0, row: makeRow(query) }
    kept.hops++
    this.#known.set(query.nonce, kept)
    this.#underWay.set(query.nonce, (this.#underWay.get(query.nonce) ?? 0) + 1)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= NONCES_KEPT) break
      this.#known.delete(oldest)
    }
    return { row: kept.row, names: [...new Set(names)].filter((name) => name !== node) }
  }

  /** That hop was answered. */
  done(nonce: string): void {
    const left = (this.#underWay.get(nonce) ?? 0) - 1
    if (left > 0) this.#underWay.set(nonce, left)
    else this.#underWay.delete(nonce)
  }
}
