/**
 * Hints: an observer that misses its subject tells the co-observers, who look at once instead of at their next beat.
 * Without them the sixth of ten unsynchronised beats comes half a second later than the first.
 */
import type { Links } from './links.ts'
import type { Effect, Message } from './message.ts'
import type { Millis } from './model.ts'
import type { Ring } from './ring.ts'
import { routeTo } from './route.ts'

export type Hint = Extract<Message, { kind: 'hint' }>

export type HintOutcome =
  | { readonly kind: 'forward'; readonly effect: Effect }
  | { readonly kind: 'look'; readonly subject: string }
  | { readonly kind: 'dropped' }

export class Hints {
  readonly #node: string
  readonly #ring: Ring
  readonly #gapMs: Millis
  readonly #heardAt = new Map<string, Millis>()

  /** `gapMs`: a second hint by the same observer about the same subject within it is dropped. */
  constructor(node: string, ring: Ring, gapMs: Millis) {
    this.#node = node
    this.#ring = ring
    this.#gapMs = gapMs
  }

  /** `doubted`: all subjects this node has doubts about; routes go around them. `links`: peers with an open edge. */
  about(subject: string, doubted: ReadonlySet<string>, links: Links): readonly Effect[] {
    const subjects = this.#ring.subjectsOf(this.#node).length
    // Most of what this node watches is silent: the fault is more likely here, and telling others only spreads it.
    if (subjects >= 3 && doubted.size * 2 >= subjects) return []
    return this.#ring.observersOf(subject).flatMap((observer): readonly Effect[] => {
      if (observer === this.#node || doubted.has(observer)) return []
      const way = links.has(observer) ? [observer] : routeTo(this.#ring, this.#node, observer, doubted)
      const [first, ...path] = way ?? []
      if (first === undefined) return []
      return [{ kind: 'send', to: first, via: 'any', message: { kind: 'hint', path, from: this.#node, subject } }]
    })
  }

  receive(now: Millis, hint: Hint, links: Links): HintOutcome {
    const [next, ...path] = hint.path
    if (next !== undefined) {
      if (!links.has(next)) return { kind: 'dropped' }
      return { kind: 'forward', effect: { kind: 'send', to: next, via: 'any', message: { ...hint, path } } }
    }
    const observers = this.#ring.observersOf(hint.subject)
    const key = `${hint.from}\n${hint.subject}`
    const heardAt = this.#heardAt.get(key) ?? Number.NEGATIVE_INFINITY
    if (!observers.includes(hint.from) || !observers.includes(this.#node) || now - heardAt < this.#gapMs) {
      return { kind: 'dropped' }
    }
    this.#heardAt.set(key, now)
    return { kind: 'look', subject: hint.subject }
  }
}
