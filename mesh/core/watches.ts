/** All watches of one node, and when each has something to do: a step touches one of them and leaves the others be. */
import type { Millis } from './model.ts'
import type { Watch } from './watch.ts'

interface Entry {
  readonly watch: Watch
  dueAt: Millis
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
    this.#entries.set(watch.subject, { watch, dueAt: now })
  }

  delete(subject: string): void {
    this.#entries.delete(subject)
  }

  /** Something happened to it: asks it when it is due. One that is due by now stays so until it has had its tick. */
  touch(subject: string, now: Millis): void {
    const entry = this.#entries.get(subject)
    if (entry !== undefined && entry.dueAt > now) entry.dueAt = entry.watch.nextAt(now)
  }

  /** It has done what was due: asks it when it is due next, from `from` on. */
  ticked(subject: string, from: Millis): void {
    const entry = this.#entries.get(subject)
    if (entry !== undefined) entry.dueAt = entry.watch.nextAt(from)
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
