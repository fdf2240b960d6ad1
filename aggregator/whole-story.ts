/** All events of some kinds, page by page: the history is longer than what one query gives. */
import type { EventKind, Journal, StoredEvent } from './model.ts'

const PAGE = 1_000

/** Oldest first. `since`: RFC 3339; without it from the beginning. */
export function wholeStory(store: Journal, kinds: readonly EventKind[], since = ''): readonly StoredEvent[] {
  const story: StoredEvent[] = []
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = store.query({ kinds, before, limit: PAGE })
    const [oldest] = page
    story.unshift(...page.filter(({ at }) => at >= since))
    if (oldest === undefined || page.length < PAGE || oldest.at < since) return story
    before = oldest.seq
  }
}
