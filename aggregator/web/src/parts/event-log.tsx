import { useState } from 'preact/hooks'
import type { StoredEvent } from '../../../model.ts'
import { useSay } from '../language.ts'
import { EVENT_TEXTS, eventKindText } from '../texts/events.ts'
import { EVENT_TONES } from '../tones.ts'
import { Said } from './said.tsx'
import { Badge, Section, Time } from './small.tsx'

export interface LogFilter {
  readonly node: string
  readonly text: string
}

export const NO_FILTER: LogFilter = { node: '', text: '' }

interface EventLogProps {
  /** Oldest first. */
  readonly events: readonly StoredEvent[]
  readonly nodes: readonly string[]
  readonly filter: LogFilter
  readonly hasOlder: boolean
  readonly onFilter: (filter: LogFilter) => void
  readonly onLoadOlder: () => Promise<void>
}

export function EventLog({ events, nodes, filter, hasOlder, onFilter, onLoadOlder }: EventLogProps) {
  const say = useSay()
  const byId = new Map(events.map((event) => [event.id, event]))
  const shown = events.filter((event) => matches(event, filter)).toReversed()

  function showCause(cause: StoredEvent): void {
    if (!matches(cause, filter)) onFilter(NO_FILTER)
    // After the filter has let it in again.
    requestAnimationFrame(() => document.getElementById(rowId(cause))?.focus())
  }

  return (
    <Section id="events" title={say(EVENT_TEXTS.title)} count={shown.length}>
      <search class="filters">
        <label>
          {say(EVENT_TEXTS.node)}{' '}
          <select
            data-testid="filter-node"
            value={filter.node}
            onChange={(event) => onFilter({ ...filter, node: event.currentTarget.value })}
          >
            <option value="">{say(EVENT_TEXTS.all)}</option>
            {nodes.map((node) => (
              <option key={node} value={node}>
                {node}
              </option>
            ))}
          </select>
        </label>
        <label>
          {say(EVENT_TEXTS.text)}{' '}
          <input
            type="search"
            data-testid="filter-text"
            value={filter.text}
            onInput={(event) => onFilter({ ...filter, text: event.currentTarget.value })}
          />
        </label>
      </search>
      <ol class="log" reversed>
        {shown.map((event) => (
          <EventRow key={event.seq} event={event} cause={byId.get(event.causedBy)} onShowCause={showCause} />
        ))}
      </ol>
      {shown.length === 0 && <p class="folded">{say(EVENT_TEXTS.noneMatches)}</p>}
      {hasOlder && <OlderButton onLoadOlder={onLoadOlder} />}
    </Section>
  )
}

interface EventRowProps {
  readonly event: StoredEvent
  readonly cause: StoredEvent | undefined
  readonly onShowCause: (cause: StoredEvent) => void
}

function EventRow({ event, cause, onShowCause }: EventRowProps) {
  const say = useSay()
  return (
    <li id={rowId(event)} tabIndex={-1} data-testid="event" data-seq={event.seq}>
      <Time at={event.at} />
      <div class="row-text">
        <p>
          <Badge tone={EVENT_TONES[event.tone]}>{say(eventKindText(event.kind))}</Badge>{' '}
          {event.node !== '' && <b>{event.node}</b>} {event.summary}
        </p>
        {cause !== undefined && (
          <p class="aside">
            <Said text={EVENT_TEXTS.because} values={{ cause: <Cause cause={cause} onShowCause={onShowCause} /> }} />
          </p>
        )}
        {cause === undefined && event.causedBy !== '' && <p class="aside">{say(EVENT_TEXTS.furtherBack)}</p>}
      </div>
    </li>
  )
}

interface CauseProps extends Pick<EventRowProps, 'onShowCause'> {
  readonly cause: StoredEvent
}

function Cause({ cause, onShowCause }: CauseProps) {
  const say = useSay()
  return (
    <a
      href={`#${rowId(cause)}`}
      onClick={(click) => {
        click.preventDefault()
        onShowCause(cause)
      }}
    >
      {say(EVENT_TEXTS.cause, { kind: say(eventKindText(cause.kind)), summary: cause.summary })}
    </a>
  )
}

function OlderButton({ onLoadOlder }: { onLoadOlder: () => Promise<void> }) {
  const say = useSay()
  const [state, setState] = useState<'idle' | 'loading' | 'failed'>('idle')
  return (
    <button
      type="button"
      disabled={state === 'loading'}
      onClick={() => {
        setState('loading')
        onLoadOlder().then(
          () => setState('idle'),
          () => setState('failed'),
        )
      }}
    >
      {say(state === 'failed' ? EVENT_TEXTS.failed : EVENT_TEXTS.older)}
    </button>
  )
}

function rowId(event: StoredEvent): string {
  return `event-${event.seq}`
}

function matches({ node, kind, summary }: StoredEvent, filter: LogFilter): boolean {
  if (filter.node !== '' && node !== filter.node) return false
  const kinds = Object.values(eventKindText(kind)).join(' ')
  return `${kinds} ${node} ${summary}`.toLowerCase().includes(filter.text.toLowerCase())
}
