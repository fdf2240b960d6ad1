import { useEffect, useState } from 'preact/hooks'
import type { Text } from '../../../../common/languages.ts'
import { SEVERITY_WORDS } from '../../../../common/words/severities.ts'
import type { Severity } from '../../../../detectors/contract.ts'
import { INSPECTION_TEXTS } from '../../../../inspection/texts.ts'
import type { IncidentView, SilenceView } from '../../../alerting/views.ts'
import type { StoredEvent } from '../../../model.ts'
import { type Alerts, fetchAlerts } from '../api.ts'
import { reasonOf } from '../failure.ts'
import { useLanguage, useSay } from '../language.ts'
import { INCIDENT_TEXTS } from '../texts/incidents.ts'
import { NOTICE_TEXTS } from '../texts/notices.ts'
import { SEVERITY_TONES } from '../tones.ts'
import { Said } from './said.tsx'
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
  const [failure, setFailure] = useState<unknown>()
  const language = useLanguage()
  const say = useSay()
  const heard = events.findLast(({ kind }) => KINDS.includes(kind))?.id

  useEffect(() => {
    let isOver = false
    const read = () =>
      fetchAlerts(language).then(
        (alerts) => {
          if (isOver) return
          setFailure(undefined)
          setAlerts(alerts)
        },
        (error: unknown) => !isOver && setFailure(error),
      )
    void read()
    const timer = setInterval(read, AGAIN_MS)
    return () => {
      isOver = true
      clearInterval(timer)
    }
  }, [heard, language])

  if (alerts === undefined && failure === undefined) return null
  const { incidents, silences } = alerts ?? { incidents: [], silences: [] }
  const sorted = incidents.toSorted((a, b) => rank(a) - rank(b))
  return (
    <Section id="incidents" title={say(INCIDENT_TEXTS.title)} count={incidents.length}>
      {failure !== undefined && (
        <p role="alert" class="failure">
          {say(NOTICE_TEXTS.unknownNow, { why: reasonOf(failure, language) })}
        </p>
      )}
      {failure === undefined && incidents.length === 0 && <p class="folded">{say(INCIDENT_TEXTS.none)}</p>}
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
  const say = useSay()
  const { severity, title, node, state, openedAt, count, children, silencedBy } = incident
  return (
    <li data-testid="incident" data-state={state}>
      <span class="chips">
        <Badge tone={SEVERITY_TONES[severity]}>{say(SEVERITY_WORDS[severity])}</Badge>
        {state === 'silenced' && <Badge tone="quiet">{say(INCIDENT_TEXTS.silenced)}</Badge>}
      </span>
      <div class="row-text">
        <p>
          {node !== '' && <NodeName node={node} onChoose={onChooseNode} />} {title}
        </p>
        <p class="aside">
          <Said text={toldText(incident)} values={{ at: <Time at={openedAt} />, sinks: sinksOf(incident) }} />
        </p>
        {silences
          .filter(({ id }) => silencedBy.includes(id))
          .map(({ id, author, until, reason }) => (
            <p key={id} class="aside">
              <Said text={INCIDENT_TEXTS.silencedBy} values={{ author, until: <Time at={until} />, reason }} />
            </p>
          ))}
        {count > 0 && (
          <details>
            <summary>{say(INCIDENT_TEXTS.parts, { count })}</summary>
            <ul class="children">
              {children.map((child) => (
                <li key={`${child.node} ${child.rule} ${child.reason} ${child.summary}`}>
                  <Badge tone={SEVERITY_TONES[child.severity]}>{say(SEVERITY_WORDS[child.severity])}</Badge>{' '}
                  {child.node !== '' && <NodeName node={child.node} onChoose={onChooseNode} />} {child.summary}
                </li>
              ))}
              {count > children.length && (
                <li class="aside">{say(INSPECTION_TEXTS.more, { count: count - children.length })}</li>
              )}
            </ul>
          </details>
        )}
      </div>
    </li>
  )
}

function toldText({ state, told }: IncidentView): Text {
  if (state === 'gathers') return INCIDENT_TEXTS.gathers
  return told.length === 0 ? INCIDENT_TEXTS.nobody : INCIDENT_TEXTS.told
}

function sinksOf({ told }: IncidentView): string {
  return told.map(({ sink }) => sink).join(', ')
}
