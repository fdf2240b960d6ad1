/** Following the stream from one aggregator's history to another's, where the same events stand in another order. */
import { expect, it } from 'vitest'
import type { StoredEvent } from '../../aggregator/model.ts'
import { type EventsPage, followEvents } from '../../cli/follow.ts'
import { event } from '../aggregator/event.ts'

const stored = (ids: readonly string[]) => ids.map((id, index): StoredEvent => ({ ...event(id), seq: index + 1 }))
const page = (ids: readonly string[]): EventsPage => ({ items: stored(ids), newest: `store.${ids.length}` })

/** What is told to who knows these, by an aggregator with another history. */
async function toldBy(theirs: readonly string[], known: readonly string[]): Promise<readonly string[]> {
  const followed = followEvents({
    from: page(known),
    open: async () => new Response(`event: gap\ndata: {"why":"another-history"}\n\n`),
    page: async () => page(theirs),
    isFinal: () => false,
    note: () => {},
  })
  const told: string[] = []
  const wanted = theirs.filter((id) => !known.includes(id)).length
  for await (const { id } of followed) {
    told.push(id)
    if (told.length === wanted) break
  }
  return told
}

it('what one aggregator had not told yet is told by the next, wherever it stands there', async () => {
  expect(await toldBy(['a', 'b', 'new', 'c', 'newer'], ['a', 'b', 'c'])).toEqual(['new', 'newer'])
})
