/**
 * Hints and indirect acks: an observer that misses its subject tells the co-observers, who look at once instead of at
 * their next beat, and say so when the subject acks to them. Without hints the sixth of ten unsynchronised beats comes half
 * a second later than the first; without the answers nobody could tell its own fault from the subject's.
 */
import type { Links } from './links.ts'
import type { Membership } from './membership.ts'
import type { Effect, Message } from './message.ts'
import type { Millis } from './model.ts'
import { routesTo } from './route.ts'

export type Hint = Extract<Message, { kind: 'hint' }>
export type IndirectAck = Extract<Message, { kind: 'indirect-ack' }>

export type HintOutcome =
  | { readonly kind: 'forward'; readonly effect: Effect }
  /** Meant for this node. */
  | { readonly kind: 'arrived' }
  /** It came by another way before. */
  | { readonly kind: 'known' }
  | { readonly kind: 'dropped' }

/** Ways that a hint takes, where there are two: one relay that is paused or cut off must not swallow it. */
const WAYS = 2

/** Hints of ten co-observers about ten subjects, and their answers, and as many again. */
const REMEMBERED_MAX = 400

export class Hints {
  readonly #node: string
  readonly #membership: Membership
  readonly #gapMs: Millis
  readonly #heardAt = new Map<string, Millis>()

  /** `gapMs`: a second hint by the same observer about the same subject within it is dropped. */
  constructor(node: string, membership: Membership, gapMs: Millis) {
    this.#node = node
    this.#membership = membership
    this.#gapMs = gapMs
  }

  /** `doubted`: all subjects this node has doubts about; routes go around them. `links`: peers with an open edge. */
  about(subject: string, doubted: ReadonlySet<string>, links: Links): readonly Effect[] {
    const { ring } = this.#membership
    const subjects = ring.subjectsOf(this.#node).length
    // Most of what this node watches is silent: the fault is more likely here, and telling others only spreads it.
    if (subjects >= 3 && doubted.size * 2 >= subjects) return []
    return ring.observersOf(subject).flatMap((observer): readonly Effect[] => {
      if (observer === this.#node || doubted.has(observer)) return []
      return this.#waysTo(observer, doubted, links).map(([first, ...path]): Effect => {
        return { kind: 'send', to: first, via: 'any', message: { kind: 'hint', path, from: this.#node, subject } }
      })
    })
  }

  /** Tells an observer that hinted that the subject acked to this node, `ageMs` ago. */
  answer(to: string, subject: string, ageMs: Millis, links: Links): readonly Effect[] {
    return this.#waysTo(to, new Set([subject]), links).map(([first, ...path]) => {
      const message: Message = { kind: 'indirect-ack', path, from: this.#node, subject, ageMs }
      return { kind: 'send', to: first, via: 'any', message }
    })
  }

  receive(now: Millis, message: Hint | IndirectAck, links: Links): HintOutcome {
    const [next, ...path] = message.path
    if (next !== undefined) {
      if (!links.has(next)) return { kind: 'dropped' }
      return { kind: 'forward', effect: { kind: 'send', to: next, via: 'any', message: { ...message, path } } }
    }
    const observers = this.#membership.observersOf(message.subject)
    const key = `${message.kind}\n${message.from}\n${message.subject}`
    const heardAt = this.#heardAt.get(key) ?? Number.NEGATIVE_INFINITY
    const isFromMe = message.from === this.#node
    if (isFromMe || !observers.has(message.from) || !observers.has(this.#node)) return { kind: 'dropped' }
    if (now - heardAt < this.#gapMs) return { kind: 'known' }
    this.#heardAt.set(key, now)
    if (this.#heardAt.size > REMEMBERED_MAX) this.#forget(now)
    return { kind: 'arrived' }
  }

  /** What is older than the gap decides nothing any more. */
  #forget(now: Millis): void {
    for (const [key, at] of this.#heardAt) if (now - at >= this.#gapMs) this.#heardAt.delete(key)
  }

  #waysTo(observer: string, avoid: ReadonlySet<string>, links: Links): readonly (readonly [string, ...string[]])[] {
    if (links.has(observer)) return [[observer]]
    const ways = routesTo(this.#membership.ring, this.#node, observer, avoid, WAYS)
    return ways.flatMap(([first, ...path]) => (first === undefined ? [] : [[first, ...path] as const]))
  }
}
