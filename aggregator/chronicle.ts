/**
 * Writes events, each with the id of the one that led to it, so that any state can be walked back to its beginning. The
 * cause of the next event is kept by thread: a node's liveness, an incident, a finding, a plan.
 */
import type { Event, EventKind, Journal, StoredEvent } from './model.ts'

export class Chronicle {
  readonly #store: Journal
  readonly #onStored: (event: StoredEvent) => void
  readonly #life: string
  readonly #now: () => string
  readonly #lastOf = new Map<string, string>()
  #count = 0
  /** Recorded and not yet on disk. */
  #untold: StoredEvent[] | undefined

  /** `life`: unique to this start of the aggregator, for ids of what only it saw. `now`: RFC 3339. */
  constructor(
    store: Journal,
    life: string,
    onStored: (event: StoredEvent) => void,
    now = () => new Date().toISOString(),
  ) {
    this.#store = store
    this.#life = life
    this.#onStored = onStored
    this.#now = now
  }

  get store(): Journal {
    return this.#store
  }

  get life(): string {
    return this.#life
  }

  /** Id of the thread's last event; empty when it has none. */
  last(thread: string): string {
    return this.#lastOf.get(thread) ?? ''
  }

  /** The thread goes on from this event; from none, when that is empty. */
  goOnFrom(thread: string, id: string): void {
    if (id === '') this.#lastOf.delete(thread)
    else this.#lastOf.set(thread, id)
  }

  nextId(kind: EventKind, node: string): string {
    return `${kind}/${node === '' ? 'mesh' : node}/${this.#life}.${++this.#count}`
  }

  record(
    id: string,
    kind: EventKind,
    node: string,
    tone: Event['tone'],
    summary: string,
    causedBy: string,
    data: object = {},
  ): Event {
    const event: Event = { id, at: this.#now(), kind, node, tone, summary, causedBy, data: { ...data } }
    const stored = this.#store.append(event)
    if (stored === null) return event
    if (this.#untold === undefined) this.#onStored(stored)
    else this.#untold.push(stored)
    return stored
  }

  /** What `work` records is on disk when this returns, and told of only then; none of it is there when this throws. */
  together(work: () => void): void {
    const untold: StoredEvent[] = []
    this.#untold = untold
    try {
      this.#store.together(work)
    } finally {
      this.#untold = undefined
    }
    for (const event of untold) this.#onStored(event)
  }

  /** What was recorded elsewhere, as it is. Answers each as it stands here, and whether it is new. */
  copy(events: readonly Event[]): ReturnType<Journal['appendAll']> {
    const copied = this.#store.appendAll(events)
    for (const { event, isNew } of copied) if (isNew) this.#onStored(event)
    return copied
  }

  /** As `record`, caused by the thread's last event, and its new last one. */
  follow(
    thread: string,
    id: string,
    kind: EventKind,
    node: string,
    tone: Event['tone'],
    summary: string,
    data: object = {},
  ): void {
    this.record(id, kind, node, tone, summary, this.last(thread), data)
    this.goOnFrom(thread, id)
  }

  /** Throws when what must be on record before anybody is told of it is not. */
  requireStored(id: string, kind: EventKind): void {
    if (this.#store.byId(id)?.kind !== kind) throw new Error(`${kind} ${id} could not be put on record`)
  }
}
