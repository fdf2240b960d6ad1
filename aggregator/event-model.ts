/** History, as it is told: one row for each thing that happened or was decided, also not to act. Times are RFC 3339 in UTC. */

export const EVENT_KINDS = [
  'started',
  'joined',
  'suspected',
  'unsuspected',
  'candidate',
  'roll-call',
  'verdict',
  'withheld',
  'frozen',
  'thawed',
  'recovered',
  'announced',
  'isolated',
  'agent-down',
  'agent-up',
  'left',
  'returned',
  'link-fault',
  'link-fault-over',
  'observer-fault',
  'observer-fault-over',
  'blind',
  'blind-over',
  'no-quorum',
  'quorum',
  'finding',
  'plan',
  'decision',
  'permit',
  'permit-refused',
  'remediation',
  'settings',
  'marked',
  'undone',
  'would-mark',
  'mark-withheld',
  'stock-marked',
  'gates-closed',
  'gates-opened',
  'gates-kept',
  'member-added',
  'member-removed',
  'member-changed',
  'roster-held',
  'roster-free',
  'single-copy',
  'copied',
  'inspection',
  'report',
  'alert',
  'alert-over',
  'silence',
  'undelivered',
  'damaged',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/** One immutable row of history. */
export interface Event {
  /** Chosen by what caused it, so that hearing of the same thing twice makes one event. */
  readonly id: string
  readonly at: string
  readonly kind: EventKind
  /** Whom it is about; empty when it is about the mesh. */
  readonly node: string
  /** `bad` and `good` colour the log; `act` waits for a person. */
  readonly tone: 'bad' | 'good' | 'info' | 'act'
  readonly summary: string
  /** Id of the event that led to this one; empty at the head of a chain. */
  readonly causedBy: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Ids of events that others are caused by: of a verdict, and of a finding, whose own id a node chooses. */
export function verdictEventId(verdictId: string): string {
  return `verdict/${verdictId}`
}

export function findingEventId(findingId: string): string {
  return `finding/${findingId}`
}

/** An event with its place in the store: cursors for paging and for resuming a stream. */
export interface StoredEvent extends Event {
  readonly seq: number
}

export interface EventQuery {
  readonly after?: number
  readonly before?: number
  readonly node?: string
  readonly kinds?: readonly EventKind[]
  /** 1 to 1,000; the newest that many, oldest first. */
  readonly limit: number
}

/**
 * What this aggregator itself has seen, decided and must not forget, on its own disk: nothing that it decides waits for another
 * machine. Append-only; appending a known id changes nothing. What people look back at is the History, which is made of it.
 */
export interface Journal {
  /** The stored event, or null when its id was there already. Durable (survives kill -9) once it returns. */
  append(event: Event): StoredEvent | null
  /** As `append`, of all of them together or of none: each as it stands there then, and whether it is new. */
  appendAll(events: readonly Event[]): readonly { readonly event: StoredEvent; readonly isNew: boolean }[]
  /** What `work` writes is durable when this returns, all of it; when it throws, none of it is there. */
  together(work: () => void): void
  query(query: EventQuery): readonly StoredEvent[]
  byId(id: string): StoredEvent | null
  /** Small facts that must survive a restart, such as the leader's term. */
  readFact(key: string): string | null
  writeFact(key: string, value: string): void
  /** Those whose key begins so, by key. */
  facts(prefix: string): ReadonlyMap<string, string>
  close(): void
}
