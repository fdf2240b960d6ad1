/** What marking would have done, or did, since some time: one row for each verdict, told from the events alone. */
import type { EventKind, Journal, StoredEvent, WouldBeMark } from './model.ts'
import { verdictDataOf } from './verdicts.ts'
import { wholeStory } from './whole-story.ts'

const KINDS: readonly EventKind[] = [
  'verdict',
  'recovered',
  'isolated',
  'marked',
  'would-mark',
  'mark-withheld',
  'stock-marked',
]

/** Oldest first. `since`: RFC 3339. */
export function markingPlan(store: Journal, since: string): readonly WouldBeMark[] {
  const marks = new Map<string, WouldBeMark>()
  const change = (event: StoredEvent, changed: (mark: WouldBeMark) => Partial<WouldBeMark>) => {
    const id = String(event.data.verdictId ?? '')
    const mark = marks.get(id)
    if (mark !== undefined) marks.set(id, { ...mark, ...changed(mark) })
  }
  for (const event of wholeStory(store, KINDS, since)) {
    switch (event.kind) {
      case 'verdict':
        marks.set(String(event.data.verdictId), verdictIn(event, marks.get(String(event.data.verdictId))))
        break
      case 'isolated':
        change(event, () => ({ kind: 'Isolated' }))
        break
      case 'marked':
        change(event, () => ({ effect: 'marked', why: event.summary }))
        break
      case 'would-mark':
        change(event, () => ({ effect: 'would-mark', why: event.summary }))
        break
      case 'mark-withheld':
        // Once marked, it stays told as that.
        change(event, ({ effect }) => (effect === 'none' ? { effect: 'withheld', why: event.summary } : {}))
        break
      case 'stock-marked':
        change(event, ({ at }) => ({ stock: { at: event.at, afterMs: between(at, event.at) } }))
        break
      case 'recovered':
        change(event, ({ at }) => ({ endedAt: event.at, lengthMs: between(at, event.at) }))
        break
    }
  }
  return [...marks.values()]
}

/** `known`: it was taken over before its votes came. */
function verdictIn(event: StoredEvent, known: WouldBeMark | undefined): WouldBeMark {
  const { node, at } = event
  const { verdictId, verdict, votes: told, needed } = verdictDataOf(event)
  const counted = (opinion: string) => told.filter((vote) => vote.opinion === opinion).length
  const votes = { silent: counted('silent'), alive: counted('alive'), abstained: counted('abstain'), needed }
  if (known !== undefined) return { ...known, votes }
  return {
    node,
    verdictId,
    kind: verdict,
    at,
    endedAt: null,
    lengthMs: null,
    votes,
    effect: 'none',
    why: '',
    stock: null,
  }
}

function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from)
}
