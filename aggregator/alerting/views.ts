/** Incidents, silences and dead letters as the API shows them. Times RFC 3339. */
import type { Language } from '../../common/languages.ts'
import type { Severity } from '../../detectors/contract.ts'
import type { DeadLetter } from '../sinks/dispatch.ts'
import type { Incident, Notification, Reader } from './model.ts'
import { unsilenced } from './routing.ts'
import type { Silence } from './silence-model.ts'
import { alertEventId } from './story.ts'
import { sentenceOf, timeOf, titleOf } from './texts.ts'

const CHILDREN_SHOWN = 200

export interface IncidentView {
  readonly id: string
  /** Id of the event that it began with; there is none while it gathers. */
  readonly eventId: string
  readonly kind: Incident['kind']
  readonly reason: string
  readonly severity: Severity
  readonly title: string
  readonly node: string
  readonly zone: string
  /** `gathers`: nobody is told yet, since more may belong to it. */
  readonly state: 'gathers' | 'firing' | 'silenced'
  readonly silencedBy: readonly string[]
  readonly openedAt: string
  readonly told: readonly { readonly sink: string; readonly language: Language; readonly at: string }[]
  /** All that belong to it; the first 200 stand in `children`. */
  readonly count: number
  readonly children: readonly {
    readonly node: string
    readonly rule: string
    readonly reason: string
    readonly severity: Severity
    readonly summary: string
  }[]
}

export function incidentView(incident: Incident, language: Language): IncidentView {
  const { id, kind, reason, severity, node, zone, silencedBy, children } = incident
  return {
    id,
    eventId: incident.announced ? alertEventId(incident) : '',
    kind,
    reason,
    severity,
    title: titleOf(incident, language),
    node,
    zone,
    state: !incident.announced ? 'gathers' : silencedBy.length > 0 ? 'silenced' : 'firing',
    silencedBy,
    openedAt: timeOf(incident.openedAt),
    told: Object.entries(incident.told).map(([sink, one]) => ({ sink, language: one.language, at: timeOf(one.at) })),
    count: children.length,
    children: children.slice(0, CHILDREN_SHOWN).map((child) => ({
      node: child.at?.node ?? '',
      rule: child.rule,
      reason: child.reason,
      severity: child.severity,
      summary: sentenceOf(child, language),
    })),
  }
}

export interface SilenceView extends Omit<Silence, 'from' | 'until'> {
  readonly from: string
  readonly until: string
  /** Incidents that it holds back something of now; with none it may be a mistake, or wait for what is planned. */
  readonly matches: number
}

export function silenceView(silence: Silence, incidents: readonly Incident[]): SilenceView {
  const matches = incidents.filter((incident) => unsilenced(incident, [silence]).by.length > 0).length
  return { ...silence, from: timeOf(silence.from), until: timeOf(silence.until), matches }
}

export interface DeadLetterView {
  readonly id: string
  readonly sink: string
  readonly why: string
  readonly at: string
  readonly incident: string
  readonly state: Notification['state']
  readonly title: string
}

export function deadView({ id, sink, why, at, notification }: DeadLetter): DeadLetterView {
  const { incident, state, language } = notification
  return { id, sink, why, at, incident: incident.id, state, title: titleOf(incident, language) }
}

interface TestInit extends Reader {
  readonly mesh: string
  readonly link: string | undefined
  readonly now: number
}

/** What a sink is tried with: it says of itself that it is a test. */
export function testNotification({ mesh, language, zone, link, now }: TestInit): Notification {
  const root = {
    key: 'test',
    kind: 'mesh',
    rule: 'test',
    reason: 'Test',
    severity: 'info',
    at: undefined,
    cause: '',
    said: { text: 'Test', values: {} },
    origins: [],
    forMs: 0,
    clearAfterMs: 0,
    eventId: '',
  } as const
  const cause = {
    key: 'mesh/Test',
    kind: 'mesh',
    reason: 'Test',
    node: '',
    zone: '',
    severity: 'info',
    root,
    children: [],
  } as const
  const incident = { ...cause, id: `mesh/Test#${now}`, openedAt: now, announced: true, told: {}, silencedBy: [] }
  const said = { state: 'test', why: 'test', mesh, incident, elsewhere: 0, language, zone, at: now } as const
  return link === undefined ? said : { ...said, link }
}
