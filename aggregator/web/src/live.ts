/**
 * Keeps a picture of the mesh up to date: history first, then the stream, resumed by the browser after a break. Says
 * since when the picture is stale whenever nothing is heard, which a dead line does not say by itself.
 */
import type { OfficeView, StoredEvent } from '../../model.ts'
import type { Caller } from '../../remediation-model.ts'
import { applyChange } from '../../stream/changes.ts'
import type { NumberedState, StateChange } from '../../stream/told-state.ts'
import { type EventsPage, fetchEvents, fetchMe, NoToken } from './api.ts'

/** `no-token`: the aggregator does not know this browser; only opening the link with the token helps. */
export type Line = 'connecting' | 'live' | 'stale' | 'no-token'

export interface Picture {
  readonly line: Line
  /** Wall clock of this browser, ms: when something was last heard. */
  readonly heardAt: number
  /** Who looks; null until the aggregator has said so. */
  readonly me: Caller | null
  /** What part the aggregator plays; null until it has said so. */
  readonly office: OfficeView | null
  /** Null while it does not lead. */
  readonly snapshot: NumberedState | null
  /** When it came to that, to count down from. */
  readonly snapshotAt: number
  /** Oldest first. */
  readonly events: readonly StoredEvent[]
  /** There are events before the oldest one held. */
  readonly hasOlder: boolean
}

export const EMPTY_PICTURE: Picture = {
  line: 'connecting',
  heardAt: Date.now(),
  me: null,
  office: null,
  snapshot: null,
  snapshotAt: 0,
  events: [],
  hasOlder: false,
}

const PAGE_EVENTS = 200
const EVENTS_HELD_MAX = 5_000
const RETRY_MS = 2_000
/** Behind one address the next request can reach another aggregator again: its history is not asked for at once. */
const BEGIN_AGAIN_MS = 250
/** The aggregator beats every 15 s; two missed beats and some delay mean that the line is dead. */
const SILENCE_MS_MAX = 40_000
const WATCH_INTERVAL_MS = 5_000

export interface Live {
  loadOlder(): Promise<void>
  stop(): void
}

/** Calls `onChange` with each new picture until stopped. */
export function startLive(onChange: (picture: Picture) => void): Live {
  let picture = EMPTY_PICTURE
  let source: EventSource | null = null
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  /** Of the page before the oldest event held. */
  let older: string | null = null
  /** Where the stream goes on; null until a page was read. */
  let newest: string | null = null
  /** Of the events held. */
  const ids = new Set<string>()

  function change(parts: Partial<Picture>): void {
    picture = { ...picture, ...parts }
    onChange(picture)
  }

  function heard(parts: Partial<Picture> = {}): void {
    change({ line: 'live', heardAt: Date.now(), ...parts })
  }

  function lost(line: Line): void {
    if (picture.line !== line) change({ line })
  }

  function hold(page: EventsPage): void {
    ids.clear()
    for (const { id } of page.items) ids.add(id)
    older = page.next
    newest = page.newest
    change({ events: page.items, hasOlder: older !== null })
  }

  /** What is held and what comes next do not join up. */
  function beginAgain(): void {
    source?.close()
    clearTimeout(retryTimer)
    newest = null
    retryTimer = setTimeout(connect, BEGIN_AGAIN_MS)
  }

  /** From scratch: also what finds out whether a refusal was about the token, which EventSource does not tell. */
  async function connect(): Promise<void> {
    source?.close()
    clearTimeout(retryTimer)
    try {
      change({ me: await fetchMe() })
      if (newest === null) hold(await fetchEvents(PAGE_EVENTS))
      listen()
    } catch (error) {
      lost(error instanceof NoToken ? 'no-token' : 'stale')
      retryTimer = setTimeout(connect, RETRY_MS)
    }
  }

  function listen(): void {
    source = new EventSource(`/api/v1/stream${newest === null ? '' : `?after=${encodeURIComponent(newest)}`}`)
    source.addEventListener('state', ({ data }) => show(JSON.parse(data) as NumberedState))
    source.addEventListener('change', ({ data }) => {
      const { snapshot } = picture
      const next = snapshot === null ? undefined : applyChange(snapshot, JSON.parse(data) as StateChange)
      if (next === undefined) beginAgain()
      else show(next)
    })
    source.addEventListener('office', ({ data }) => {
      // It does not lead: what was shown of the mesh is for another to say.
      heard({ snapshot: null })
      answeredBy(JSON.parse(data) as OfficeView)
    })
    source.addEventListener('event', ({ data, lastEventId }) => {
      const event = JSON.parse(data) as StoredEvent
      newest = lastEventId
      if (ids.has(event.id)) return
      // What is let go of is read again from the newest page back.
      if (ids.size >= EVENTS_HELD_MAX) return beginAgain()
      ids.add(event.id)
      heard({ events: [...picture.events, event] })
    })
    source.addEventListener('beat', () => heard())
    source.addEventListener('gap', () => {
      heard()
      beginAgain()
    })
    source.addEventListener('error', () => {
      lost('stale')
      // Otherwise the browser tries again by itself, and says where it was.
      if (source?.readyState === EventSource.CLOSED) retryTimer = setTimeout(connect, RETRY_MS)
    })
  }

  function show(snapshot: NumberedState): void {
    heard({ snapshot, snapshotAt: performance.now() })
    answeredBy(snapshot.office)
  }

  /** Behind one address there may be several aggregators, each with a history of its own: another begins from scratch. */
  function answeredBy(office: OfficeView): void {
    const isAnother = picture.office !== null && picture.office.node !== office.node
    change({ office, ...(isAnother ? { events: [] } : {}) })
    if (isAnother) beginAgain()
  }

  const watch = setInterval(() => {
    if (picture.line !== 'live' || Date.now() - picture.heardAt < SILENCE_MS_MAX) return
    lost('stale')
    void connect()
  }, WATCH_INTERVAL_MS)

  void connect()
  return {
    async loadOlder() {
      const page = await fetchEvents(PAGE_EVENTS, older ?? undefined)
      older = page.next
      const events = page.items.filter(({ id }) => !ids.has(id))
      for (const { id } of events) ids.add(id)
      change({ events: [...events, ...picture.events], hasOlder: older !== null })
    },
    stop() {
      source?.close()
      clearTimeout(retryTimer)
      clearInterval(watch)
    },
  }
}
