/** A journal in memory, in which the recorder tells once more what a node said, to see which events that makes. */
import type { Event, Journal, StoredEvent } from '../event-model.ts'

export class ScratchJournal implements Journal {
  readonly events: StoredEvent[] = []
  readonly #byId = new Map<string, StoredEvent>()
  readonly #facts = new Map<string, string>()

  append(event: Event): StoredEvent | null {
    if (this.#byId.has(event.id)) return null
    const stored = { ...event, seq: this.events.length + 1 }
    this.events.push(stored)
    this.#byId.set(event.id, stored)
    return stored
  }

  appendAll(events: readonly Event[]): ReturnType<Journal['appendAll']> {
    return events.flatMap((event) => {
      const isNew = this.append(event) !== null
      const stored = this.byId(event.id)
      return stored === null ? [] : [{ event: stored, isNew }]
    })
  }

  /** Nothing on record from before: that is what it is for. */
  together(work: () => void): void {
    work()
  }

  query(): readonly StoredEvent[] {
    return []
  }

  byId(id: string): StoredEvent | null {
    return this.#byId.get(id) ?? null
  }

  readFact(key: string): string | null {
    return this.#facts.get(key) ?? null
  }

  writeFact(key: string, value: string): void {
    this.#facts.set(key, value)
  }

  facts(): ReadonlyMap<string, string> {
    return new Map()
  }

  close(): void {}
}
