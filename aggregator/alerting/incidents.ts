/** The life of incidents: when each opens, who is told of it and told again, and when it is over. Pure: state and input to both. */

import { SEVERITIES } from '../../detectors/contract.ts'
import type { AlertRoute } from '../../settings/alerting.ts'
import type { Cause, Incident, Notification, Outgoing, Symptom, Told } from './model.ts'
import { receiversOf, unsilenced } from './routing.ts'
import type { Silence } from './silence-model.ts'

/** How long is waited for what belongs to the same cause, before anybody is told, ms. A freeze has waited already. */
const GATHER_MS: Readonly<Record<Cause['kind'], number>> = {
  mesh: 0,
  frozen: 0,
  zone: 0,
  node: 5_000,
  finding: 15_000,
  measure: 0,
}
/** How long more of the same is gathered before it is told, ms. */
const GROWTH_MS = 300_000

/** By key of their cause. */
export type OpenIncidents = ReadonlyMap<string, Incident>

export interface StepInput {
  /** Wall time, ms. */
  readonly now: number
  readonly mesh: string
  readonly causes: readonly Cause[]
  readonly routes: readonly AlertRoute[]
  /** Those that count now. */
  readonly silences: readonly Silence[]
  readonly link?: string | undefined
}

export interface Step {
  readonly open: OpenIncidents
  readonly outgoing: readonly Outgoing[]
  /** To be put on record: new ones, those that somebody was told of once more, and those that are over. */
  readonly announced: readonly Incident[]
  readonly over: readonly Incident[]
}

export function step(before: OpenIncidents, input: StepInput): Step {
  const open = new Map<string, Incident>()
  const outgoing: Outgoing[] = []
  const announced: Incident[] = []
  const over: Incident[] = []
  for (const cause of input.causes) {
    const known = before.get(cause.key) ?? opened(cause, input.now)
    const { incident, said } = tell({ ...known, ...cause }, input)
    open.set(cause.key, incident)
    outgoing.push(...said)
    if (incident.announced && (said.length > 0 || !known.announced)) announced.push(incident)
  }
  for (const [key, incident] of before) {
    // One that nobody was told of, and that is on no record, has not been.
    if (open.has(key) || !incident.announced) continue
    over.push(incident)
    outgoing.push(...lastWords(incident, input))
  }
  return { open, outgoing, announced, over }
}

function opened(cause: Cause, now: number): Incident {
  const id = `${cause.key}#${now}`
  return { ...cause, id, openedAt: now, announced: false, told: {}, silencedBy: [] }
}

function tell(incident: Incident, input: StepInput): { incident: Incident; said: readonly Outgoing[] } {
  const { now, routes, silences } = input
  if (!incident.announced && now - incident.openedAt < GATHER_MS[incident.kind]) return { incident, said: [] }
  const { told: symptoms, by } = unsilenced(incident, silences)
  const current = { ...incident, announced: true, silencedBy: symptoms.length === 0 ? by : [] }
  const told: Record<string, Told> = { ...incident.told }
  const said: Outgoing[] = []
  for (const { sink, language, repeatMs } of symptoms.length === 0 ? [] : receiversOf(incident, symptoms, routes)) {
    const why = whyNow(told[sink], current, symptoms, now, repeatMs)
    if (why === undefined) continue
    told[sink] = { language, at: now, severity: incident.severity, children: symptoms.map(({ key }) => key) }
    said.push(outgoing(sink, language, { ...shownOf(current, symptoms), told: {} }, 'firing', why, input))
  }
  return { incident: { ...current, told }, said }
}

/** To whom it was said that it fires, and to nobody else: whatever routes and silences say by now. */
function lastWords(incident: Incident, input: StepInput): readonly Outgoing[] {
  const keys = new Set([...incident.children, ...(incident.root ? [incident.root] : [])].map(({ key }) => key))
  const partOf = input.causes.find(({ root, children }) => {
    return (root !== undefined && keys.has(root.key)) || children.some(({ key }) => keys.has(key))
  })
  return Object.entries(incident.told).map(([sink, { language }]) => {
    const { notification } = outgoing(sink, language, { ...incident, told: {} }, 'resolved', 'over', input)
    return { sink, notification: partOf === undefined ? notification : { ...notification, partOf } }
  })
}

function whyNow(
  last: Told | undefined,
  { severity }: Incident,
  symptoms: readonly Symptom[],
  now: number,
  repeatMs: number,
): Notification['why'] | undefined {
  if (last === undefined) return 'opened'
  if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(last.severity)) return 'changed'
  if (now - last.at >= repeatMs) return 'repeated'
  const known = new Set(last.children)
  return now - last.at >= GROWTH_MS && symptoms.some(({ key }) => !known.has(key)) ? 'changed' : undefined
}

/** Without what is silenced. */
function shownOf(incident: Incident, symptoms: readonly Symptom[]): Incident {
  const told = new Set(symptoms)
  return { ...incident, children: incident.children.filter((child) => told.has(child)) }
}

function outgoing(
  sink: string,
  language: Notification['language'],
  incident: Incident,
  state: Notification['state'],
  why: Notification['why'],
  { mesh, now, link }: StepInput,
): Outgoing {
  return {
    sink,
    notification: { state, why, mesh, incident, language, at: now, ...(link === undefined ? {} : { link }) },
  }
}
