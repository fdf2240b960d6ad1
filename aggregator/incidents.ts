/**
 * What begins and ends: one incident is one event at its beginning and one at its end, caused by the first, however often
 * the aggregator starts in between. What was open when it started, and does not show again, is ended as unseen.
 */
import type { Chronicle } from './chronicle.ts'
import type { EventKind, StoredEvent } from './model.ts'

export type IncidentKind = keyof typeof ENDS

/** The kind of event that an incident begins with, and the one that it ends with. */
const ENDS = {
  'link-fault': 'link-fault-over',
  'observer-fault': 'observer-fault-over',
  blind: 'blind-over',
  'no-quorum': 'quorum',
  frozen: 'thawed',
  'single-copy': 'copied',
} as const satisfies Partial<Record<EventKind, EventKind>>

/** Of incidents, as far back as is looked for those that never ended. */
const EVENTS_READ = 1_000

export class Incidents {
  readonly #chronicle: Chronicle
  /** On record as open, and not seen by this life of the aggregator yet; by thread. */
  readonly #inherited = new Map<string, { readonly kind: IncidentKind; readonly node: string }>()

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
    for (const kind of Object.keys(ENDS) as IncidentKind[]) {
      for (const { id, node } of openOnRecord(chronicle, kind)) {
        this.#inherited.set(incidentThread(kind, node), { kind, node })
        chronicle.goOnFrom(incidentThread(kind, node), id)
      }
    }
  }

  /** Id of the last event of an open incident; undefined when there is none. */
  open(kind: IncidentKind, node = ''): string | undefined {
    return this.#chronicle.last(incidentThread(kind, node)) || undefined
  }

  /** Tells of one that begins; not of one that is open already. */
  begin(kind: IncidentKind, node: string, summary: string, data: object, causedBy = ''): void {
    this.#inherited.delete(incidentThread(kind, node))
    if (this.open(kind, node) !== undefined) return
    this.#chronicle.goOnFrom(incidentThread(kind, node), causedBy)
    this.change(kind, node, summary, data)
  }

  /** Tells that an open one has changed: the next link of its chain. */
  change(kind: IncidentKind, node: string, summary: string, data: object): void {
    const thread = incidentThread(kind, node)
    this.#inherited.delete(thread)
    this.#chronicle.follow(thread, this.#chronicle.nextId(kind, node), kind, node, 'bad', summary, data)
  }

  /** A person decided something about an open one: what comes of it is caused by that. */
  decided(kind: IncidentKind, node: string, decisionId: string): void {
    this.#chronicle.goOnFrom(incidentThread(kind, node), decisionId)
  }

  end(kind: IncidentKind, node: string, summary: string, data: object = {}): void {
    const thread = incidentThread(kind, node)
    const over = ENDS[kind]
    this.#chronicle.follow(thread, this.#chronicle.nextId(over, node), over, node, 'good', summary, data)
    this.#inherited.delete(thread)
    this.#chronicle.goOnFrom(thread, '')
  }

  /** Another aggregator told of one: it is as if it had been on record when this one started. */
  copied({ id, kind, node }: StoredEvent): void {
    for (const [begins, ends] of Object.entries(ENDS) as [IncidentKind, EventKind][]) {
      const thread = incidentThread(begins, node)
      if (kind === ends) this.#inherited.delete(thread)
      else if (kind === begins) this.#inherited.set(thread, { kind: begins, node })
      else continue
      this.#chronicle.goOnFrom(thread, kind === begins ? id : '')
    }
  }

  /** Ends what was open when this aggregator started and did not show again since. */
  endUnseen(): void {
    for (const { kind, node } of [...this.#inherited.values()]) {
      this.end(kind, node, 'not seen again since the aggregator started')
    }
  }
}

function openOnRecord({ store }: Chronicle, kind: IncidentKind): readonly StoredEvent[] {
  const open = new Map<string, StoredEvent>()
  for (const event of store.query({ kinds: [kind, ENDS[kind]], limit: EVENTS_READ })) {
    if (event.kind === kind) open.set(event.node, event)
    else open.delete(event.node)
  }
  return [...open.values()]
}

/** The thread of an incident, whose last event is what is known of it. */
export function incidentThread(kind: IncidentKind, node: string): string {
  return `${kind}/${node}`
}
