/** Follows the aggregator's stream through breaks of the line and changes of the leader: no event twice, none left out. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredEvent } from '../aggregator/model.ts'
import { messageOf } from '../common/errors.ts'
import { readEventStream } from './event-stream.ts'

const RECONNECT_MS_MIN = 500
const RECONNECT_MS_MAX = 10_000
/** The aggregator beats every 15 s; two missed beats and some delay mean that the line is dead. */
const SILENCE_MS_MAX = 40_000
/** Ids that are remembered, to tell what was told already: more than are ever resent. */
const KNOWN_MAX = 4_000
/** What the API gives at once. */
const PAGE = 1_000

/** A page of events, and where the stream goes on from there. */
export interface EventsPage {
  readonly items: readonly StoredEvent[]
  readonly newest: string | null
}

export interface FollowInit {
  /** What is known already. */
  readonly from: EventsPage
  open(query: string, signal: AbortSignal): Promise<Response>
  /** The newest that many events. */
  page(limit: number): Promise<EventsPage>
  /** A refusal stays one however often it is asked for; a broken line may heal. */
  isFinal(error: unknown): boolean
  /** Tells the person who waits. */
  note(text: string): void
}

export async function* followEvents({
  from,
  open,
  page,
  isFinal,
  note,
}: FollowInit): AsyncGenerator<StoredEvent, never> {
  let cursor = from.newest
  let known = new Set(from.items.map(({ id }) => id))
  let waitMs = RECONNECT_MS_MIN
  const isNew = ({ id }: StoredEvent) => {
    if (known.has(id)) return false
    known.add(id)
    if (known.size > 2 * KNOWN_MAX) known = new Set([...known].slice(-KNOWN_MAX))
    return true
  }
  for (;;) {
    const line = new AbortController()
    const watchdog = setTimeout(() => line.abort(new Error('the line has gone silent')), SILENCE_MS_MAX)
    try {
      const answer = await open(cursor === null ? '' : `?after=${encodeURIComponent(cursor)}`, line.signal)
      for await (const { name, id, data } of readEventStream(answer.body ?? new ReadableStream())) {
        watchdog.refresh()
        waitMs = RECONNECT_MS_MIN
        if (name === 'gap') {
          const missed = afterKnown((await page(PAGE)).items, known)
          if (missed === undefined) note('more was missed than is resent; `starling events` shows the rest')
          for (const event of missed ?? []) if (isNew(event)) yield event
        }
        if (name !== 'event') continue
        cursor = id ?? cursor
        const event = JSON.parse(data) as StoredEvent
        if (isNew(event)) yield event
      }
      note('the aggregator closed the stream; connecting again')
    } catch (error) {
      if (isFinal(error)) throw error
      note(`${messageOf(error)}; trying again`)
    } finally {
      clearTimeout(watchdog)
    }
    await sleep(waitMs)
    waitMs = Math.min(waitMs * 2, RECONNECT_MS_MAX)
  }
}

/**
 * What this page has that may be new, from the first event on that is known; undefined when it has none of them: more was
 * missed. Two aggregators need not have put the same events on record in the same order.
 */
function afterKnown(items: readonly StoredEvent[], known: ReadonlySet<string>): readonly StoredEvent[] | undefined {
  const first = items.findIndex(({ id }) => known.has(id))
  return first === -1 && known.size > 0 ? undefined : items.slice(first + 1)
}
