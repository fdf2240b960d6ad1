/** All watches of one node, and when each has something to do: a step touches one of them and leaves the others be. */
import type { Millis } from './model.ts'
import type { Watch } from './watch.ts'

/** Less than any timer can tell. */
const MOMENT_MS = 0.001

interface Entry {
  readonly watch: Watch
  dueAt: Millis
  /** What was due by then is done. */
  tickedAt: Millis
}

export class Watches {
  readonly #entries = new Map<string, Entry>()

  get(subject: string): Watch | undefined {
    return this.#entries.get(subject)?.watch
  }

  has(subject: string): boolean {
    return this.#entries.has(subject)
  }

  *[Symbol.iterator](): Iterator<Watch> {
    for (const { watch } of this.#entries.values()) yield watch
  }

  /** A new watch is due at once. */
  add(now: Millis, watch: Watch): void {
    this.#entries.set(watch.subject, { watch, dueAt: now, tickedAt: Number.NEGATIVE_INFINITY })
  }

  delete(subject: string): void {
    this.#entries.delete(subject)
  }

  /** Something happened to it: asks it when it is due. What is overdue stays so until it ticks. */
  touch(now: Millis, subject: string): void {
    const entry = this.#entries.get(subject)
    // At the very moment of a tick something may have become due after it.
    if (entry !== undefined) entry.dueAt = entry.watch.nextAt(Math.min(entry.tickedAt, now - MOMENT_MS))
  }

  ticked(now: Millis, subject: string): void {
    const entry = this.#entries.get(subject)
    if (entry === undefined) return
    entry.tickedAt = now
    entry.dueAt = entry.watch.nextAt(now)
  }

  due(now: Millis): readonly Watch[] {
    const due: Watch[] = []
    for (const { watch, dueAt } of this.#entries.values()) if (dueAt <= now) due.push(watch)
    return due
  }

  /** When the first of them is due; Infinity for none. */
  get nextAt(): Millis {
    let next = Number.POSITIVE_INFINITY
    for (const { dueAt } of this.#entries.values()) if (dueAt < next) next = dueAt
    return next
  }
}
