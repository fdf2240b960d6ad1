/**
 * Keeps a picture of the mesh up to date: history first, then the stream, resumed by the browser after a break. Says
 * since when the picture is stale whenever nothing is heard, which a dead line does not say by itself.
 */
import type { OfficeView, Snapshot, StoredEvent } from '../../model.ts'
import type { Caller } from '../../remediation-model.ts'
import { fetchEvents, fetchMe, NoToken } from './api.ts'

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
  readonly snapshot: Snapshot | null
  /** When the snapshot came, to count down from. */
  readonly snapshotAt: number
  /** Oldest first. */
  readonly events: readonly StoredEvent[]
  /** There may be events before the oldest one held. */
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

  /** From scratch: also what finds out whether a refusal was about the token, which EventSource does not tell. */
  async function connect(): Promise<void> {
    source?.close()
    clearTimeout(retryTimer)
    try {
      change({ me: await fetchMe() })
      if (picture.events.length === 0) {
        const events = await fetchEvents(PAGE_EVENTS)
        change({ events, hasOlder: events.length === PAGE_EVENTS })
      } else {
        await fetchEvents(1)
      }
      listen()
    } catch (error) {
      lost(error instanceof NoToken ? 'no-token' : 'stale')
      retryTimer = setTimeout(connect, RETRY_MS)
    }
  }

  function listen(): void {
    source = new EventSource(`/api/v1/stream?after=${picture.events.at(-1)?.seq ?? 0}`)
    source.addEventListener('state', ({ data }) => {
      const snapshot = JSON.parse(data) as Snapshot
      heard({ snapshot, snapshotAt: performance.now() })
      answeredBy(snapshot.office)
    })
    source.addEventListener('office', ({ data }) => {
      // It does not lead: what was shown of the mesh is for another to say.
      heard({ snapshot: null })
      answeredBy(JSON.parse(data) as OfficeView)
    })
    source.addEventListener('event', ({ data }) => {
      const event = JSON.parse(data) as StoredEvent
      if (event.seq <= (picture.events.at(-1)?.seq ?? 0)) return
      heard({ events: [...picture.events, event].slice(-EVENTS_HELD_MAX) })
    })
    source.addEventListener('beat', () => heard())
    // What is held and what comes next do not join up: start over from what comes next, and page back from there.
    source.addEventListener('gap', () => heard({ events: [], hasOlder: true }))
    source.addEventListener('error', () => {
      lost('stale')
      // Otherwise the browser tries again by itself, and says where it was.
      if (source?.readyState === EventSource.CLOSED) retryTimer = setTimeout(connect, RETRY_MS)
    })
  }

  /** Behind one address there may be several aggregators, each with a history of its own: another begins from scratch. */
  function answeredBy(office: OfficeView): void {
    const isAnother = picture.office !== null && picture.office.node !== office.node
    change({ office, ...(isAnother ? { events: [] } : {}) })
    if (isAnother) void connect()
  }

  const watch = setInterval(() => {
    if (picture.line !== 'live' || Date.now() - picture.heardAt < SILENCE_MS_MAX) return
    lost('stale')
    void connect()
  }, WATCH_INTERVAL_MS)

  void connect()
  return {
    async loadOlder() {
      const older = await fetchEvents(PAGE_EVENTS, picture.events[0]?.seq)
      change({ events: [...older, ...picture.events], hasOlder: older.length === PAGE_EVENTS })
    },
    stop() {
      source?.close()
      clearTimeout(retryTimer)
      clearInterval(watch)
    },
  }
}
