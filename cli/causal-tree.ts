/** Events drawn as the tree of what led to what, each under its cause, with its time in front. */
import type { StoredEvent } from '../aggregator/model.ts'
import { localTime, printable } from './text.ts'

const LAST = '└─ '
const MORE = '├─ '

/** Lines, each ended by a line break. An event whose cause is not among `events` stands at the left. */
export function causalTree(events: readonly StoredEvent[]): string {
  const known = new Set(events.map(({ id }) => id))
  const drawn = new Set<string>()
  const lines: string[] = []

  function draw(event: StoredEvent, lead: string, branch: string): void {
    // What claims to be its own cause, by however many steps, is drawn once.
    if (drawn.has(event.id)) return
    drawn.add(event.id)
    const time = localTime(event.at, { milliseconds: true })
    lines.push(`${printable(`${time}  ${lead}${branch}${event.kind}: ${event.summary}`)}\n`)
    const effects = events.filter(({ causedBy }) => causedBy === event.id)
    const below = lead + (branch === '' ? '' : branch === LAST ? '   ' : '│  ')
    for (const effect of effects) draw(effect, below, effect === effects.at(-1) ? LAST : MORE)
  }

  for (const event of events) if (!known.has(event.causedBy)) draw(event, '', '')
  for (const event of events) draw(event, '', '')
  return lines.join('')
}
