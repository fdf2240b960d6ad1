/**
 * The aggregator's side of a question to many: a tree over all; then what it did not bring, by a second tree whose heads
 * have just answered; then what is missing still, by name. Each row is checked here against the key of the node that it is of.
 */
import { dealt, groupsOf, type SignedRow, type Unheard } from './convergecast.ts'
import { Round } from './convergecast-round.ts'
import type { Millis } from './model.ts'

export interface InquiryInit {
  /** Who is asked. Whoever is known to be down only costs time. */
  readonly names: readonly string[]
  readonly withinMs: Millis
  readonly isNear: (node: string) => boolean
  readonly isGenuine: (row: SignedRow) => boolean
  readonly random: () => number
}

/** Of the time that is left: a node needs most of it for its looks, and those were begun in the first tree. */
const FIRST_TREE = 0.5
const SECOND_TREE = 0.6

/** Heads of the second tree, which keeps the frames of both under a hundred; each asks its share directly. */
const SECOND_HEADS_MAX = 32
/** A head that asks fewer is not worth a frame. */
const SECOND_SHARE_MIN = 8

/** By name: a dead host answers no dial, and others wait for its turn to end. */
const BY_NAME_MS = 1_000

export class Inquiry {
  readonly rows = new Map<string, SignedRow>()
  /** See `Round.refused`. */
  refused = 0
  readonly #init: InquiryInit
  readonly #unheard = new Map<string, Unheard>()
  readonly #endsAt: Millis
  #step = 0
  #round: Round | undefined

  constructor(nowMs: Millis, init: InquiryInit) {
    this.#init = init
    this.#endsAt = nowMs + init.withinMs
  }

  /** The next round, once the one before is over; undefined when nobody is missing any more, or there is no time. */
  next(nowMs: Millis): Round | undefined {
    this.#take()
    const { names, isNear, isGenuine } = this.#init
    const leftMs = this.#endsAt - nowMs
    const missing = this.#shuffled(names.filter((node) => !this.rows.has(node)))
    if (missing.length === 0 || leftMs <= 0) return undefined
    this.#step++
    if (this.#step === 1) {
      return this.#begin({ groups: groupsOf(missing, isNear), endsAt: nowMs + leftMs * FIRST_TREE, isGenuine })
    }
    if (this.#step === 2 && this.rows.size > 0) {
      const count = Math.min(SECOND_HEADS_MAX, Math.ceil(missing.length / SECOND_SHARE_MIN))
      const heads = this.#shuffled([...this.rows.keys()]).slice(0, count)
      return this.#begin({ groups: dealt(heads, missing), endsAt: nowMs + leftMs * SECOND_TREE, isGenuine })
    }
    if (this.#step > 3) return undefined
    // Nobody has tried those whose heads failed both times: they are the likeliest to answer.
    const untried = missing.filter((node) => !this.#unheard.has(node))
    const tried = missing.filter((node) => this.#unheard.has(node))
    this.#step = 3
    return this.#begin({
      groups: dealt([...untried, ...tried], []),
      endsAt: this.#endsAt,
      eachMs: BY_NAME_MS,
      isGenuine,
    })
  }

  /** Why there is no row of a node that was asked. */
  whyMissing(node: string): Unheard {
    return this.#unheard.get(node) ?? 'unreachable'
  }

  #begin(init: ConstructorParameters<typeof Round>[0]): Round {
    this.#round = new Round(init)
    return this.#round
  }

  #take(): void {
    if (this.#round === undefined) return
    const { rows, unheard } = this.#round.end()
    for (const row of rows) this.rows.set(row.node, row)
    for (const { node, why } of unheard) if (this.#unheard.get(node) !== 'no-answer') this.#unheard.set(node, why)
    this.refused += this.#round.refused
    this.#round = undefined
  }

  #shuffled(names: readonly string[]): readonly string[] {
    return names
      .map((node) => ({ node, place: this.#init.random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ node }) => node)
  }
}
