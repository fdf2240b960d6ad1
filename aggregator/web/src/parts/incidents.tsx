import { useEffect, useState } from 'preact/hooks'
import type { Severity } from '../../../../detectors/contract.ts'
import type { IncidentView, SilenceView } from '../../../alerting/views.ts'
import type { StoredEvent } from '../../../model.ts'
import { type Alerts, fetchAlerts } from '../api.ts'
import { textOf } from '../inspection-feed.ts'
import { SEVERITY_TONES } from '../tones.ts'
import { Badge, NodeName, Section, Time } from './small.tsx'

const KINDS: readonly StoredEvent['kind'][] = ['alert', 'alert-over', 'silence']
/** What joins an incident, or that a silence's time is over, is no event of its own. */
const AGAIN_MS = 60_000

const WORST_FIRST: readonly Severity[] = ['error', 'alarm', 'warn', 'info']

interface IncidentsProps {
  /** Oldest first; some say that there is news of incidents. */
  readonly events: readonly StoredEvent[]
  readonly onChooseNode: (node: string) => void
}

/** What people are told of at present, the worst first; what is silenced comes after all that is not. */
export function Incidents({ events, onChooseNode }: IncidentsProps) {
  const [alerts, setAlerts] = useState<Alerts>()
  const [failure, setFailure] = useState('')
  const heard = events.findLast(({ kind }) => KINDS.includes(kind))?.id

  useEffect(() => {
    let isOver = false
    const read = () =>
      fetchAlerts().then(
        (alerts) => {
          if (isOver) return
          setFailure('')
          setAlerts(alerts)
        },
        (error: unknown) => !isOver && setFailure(textOf(error)),
      )
    void read()
    const timer = setInterval(read, AGAIN_MS)
    return () => {
      isOver = true
      clearInterval(timer)
    }
  }, [heard])

  if (alerts === undefined && failure === '') return null
  const { incidents, silences } = alerts ?? { incidents: [], silences: [] }
  const sorted = incidents.toSorted((a, b) => rank(a) - rank(b))
  return (
    <Section id="incidents" title="Incidents" count={incidents.length}>
      {failure !== '' && (
        <p role="alert" class="failure">
          Not known at present: {failure}
        </p>
      )}
      {failure === '' && incidents.length === 0 && <p class="folded">None is open.</p>}
      <ul class="rows">
        {sorted.map((incident) => (
          <Incident key={incident.id} incident={incident} silences={silences} onChooseNode={onChooseNode} />
        ))}
      </ul>
    </Section>
  )
}

function rank({ severity, state }: IncidentView): number {
  return WORST_FIRST.indexOf(severity) + (state === 'silenced' ? WORST_FIRST.length : 0)
}

interface IncidentProps extends Pick<IncidentsProps, 'onChooseNode'> {
  readonly incident: IncidentView
  readonly silences: readonly SilenceView[]
}

function Incident({ incident, silences, onChooseNode }: IncidentProps) {
  const { severity, title, node, state, openedAt, told, count, children, silencedBy } = incident
  return (
    <li data-testid="incident" data-state={state}>
      <span class="chips">
        <Badge tone={SEVERITY_TONES[severity]}>{severity}</Badge>
        {state === 'silenced' && <Badge tone="quiet">silenced</Badge>}
      </span>
      <div class="row-text">
        <p>
          {node !== '' && <NodeName node={node} onChoose={onChooseNode} />} {title}
        </p>
        <p class="aside">
          since <Time at={openedAt} /> · {state === 'gathers' ? 'gathers what belongs to it' : toldWhom(told)}
        </p>
        {silences
          .filter(({ id }) => silencedBy.includes(id))
          .map(({ id, author, until, reason }) => (
            <p key={id} class="aside">
              silenced by {author} until <Time at={until} />: {reason}
            </p>
          ))}
        {count > 0 && (
          <details>
            <summary>{count === 1 ? '1 part' : `${count} parts`}</summary>
            <ul class="children">
              {children.map((child) => (
                <li key={`${child.node} ${child.rule} ${child.reason} ${child.summary}`}>
                  <Badge tone={SEVERITY_TONES[child.severity]}>{child.severity}</Badge>{' '}
                  {child.node !== '' && <NodeName node={child.node} onChoose={onChooseNode} />} {child.summary}
                </li>
              ))}
              {count > children.length && <li class="aside">{count - children.length} more</li>}
            </ul>
          </details>
        )}
      </div>
    </li>
  )
}

function toldWhom(told: IncidentView['told']): string {
  return told.length === 0 ? 'nobody was told' : `told: ${told.map(({ sink }) => sink).join(', ')}`
}
