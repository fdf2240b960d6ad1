/** The life of incidents: when each opens, who is told of it and told again, and when it is over. Pure: state and input to both. */

import { SEVERITIES, type Severity } from '../../detectors/contract.ts'
import type { AlertRoute } from '../../settings/alerting.ts'
import { nodesOf, symptomsOf } from './causes.ts'
import type { Cause, Incident, Notification, Outgoing, Reader, Symptom, Told } from './model.ts'
import { receiversOf, severityOf, unsilenced } from './routing.ts'
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

/** What is needed to say anything to anybody. */
export interface SayInput {
  /** Wall time, ms. */
  readonly now: number
  readonly mesh: string
  readonly routes: readonly AlertRoute[]
  readonly link?: string | undefined
}

export interface StepInput extends SayInput {
  readonly causes: readonly Cause[]
  /** Those that count now. */
  readonly silences: readonly Silence[]
  /** As of hold: until then a part of an incident that nobody names is not over. */
  readonly isSettled?: boolean
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
    const { incident, said } = tell(known, cause, input)
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

function tell(before: Incident, cause: Cause, input: StepInput): { incident: Incident; said: readonly Outgoing[] } {
  const { now, routes, silences, isSettled = true } = input
  const incident = { ...before, ...cause }
  if (!incident.announced && now - incident.openedAt < GATHER_MS[incident.kind]) return { incident, said: [] }
  const { told: symptoms, by } = unsilenced(incident, silences)
  const current = { ...incident, announced: true, silencedBy: symptoms.length === 0 ? by : [] }
  const told: Record<string, Told> = { ...incident.told }
  const said: Outgoing[] = []
  const receivers = symptoms.length === 0 ? [] : receiversOf(incident, symptoms, routes)
  for (const { sink, language, zone, repeatMs, symptoms: share } of receivers) {
    const severity = severityOf(incident, share)
    const why = whyNow(told[sink], severity, share, now, repeatMs)
    if (why === undefined) continue
    told[sink] = { language, zone, at: now, severity, children: share.map(({ key }) => key) }
    said.push(outgoing(sink, told[sink], current, share, symptoms, 'firing', why, input))
  }
  const receiving = new Set(receivers.map(({ sink }) => sink))
  for (const [sink, last] of Object.entries(told)) {
    if (!isSettled || receiving.has(sink) || shareOf(current, sink, last, routes).length > 0) continue
    // It goes on elsewhere, and is no concern of theirs any more.
    delete told[sink]
    said.push(ended(before, sink, last, input))
  }
  return { incident: { ...current, told }, said }
}

/** To whom it was said that it fires, and to nobody else: whatever routes and silences say by now. */
export function lastWords(incident: Incident, input: Omit<StepInput, 'silences'>): readonly Outgoing[] {
  const keys = new Set(symptomsOf(incident).map(({ key }) => key))
  const partOf = input.causes.find((cause) => symptomsOf(cause).some(({ key }) => keys.has(key)))
  return Object.entries(incident.told).map(([sink, last]) => {
    const { notification } = ended(incident, sink, last, input)
    return { sink, notification: partOf === undefined ? notification : { ...notification, partOf } }
  })
}

/** For a sink that forgets: what it was told, as it is now. */
export function keptFor(incident: Incident, sink: string, last: Told, input: SayInput): Outgoing {
  const all = symptomsOf(incident)
  return outgoing(sink, last, incident, shareOf(incident, sink, last, input.routes), all, 'firing', 'kept', input)
}

function ended(incident: Incident, sink: string, last: Told, input: SayInput): Outgoing {
  const all = symptomsOf(incident)
  const share = shareOf(incident, sink, last, input.routes)
  return outgoing(sink, last, incident, share.length === 0 ? all : share, all, 'resolved', 'over', input)
}

/** What of it is for a sink: by its routes, and where none leads there any more by what it was told. */
function shareOf(incident: Incident, sink: string, last: Told, routes: readonly AlertRoute[]): readonly Symptom[] {
  const all = symptomsOf(incident)
  const receiver = receiversOf(incident, all, routes).find((one) => one.sink === sink)
  if (receiver !== undefined) return receiver.symptoms
  const keys = new Set(last.children)
  return all.filter(({ key }) => keys.has(key))
}

function whyNow(
  last: Told | undefined,
  severity: Severity,
  symptoms: readonly Symptom[],
  now: number,
  repeatMs: number,
): Notification['why'] | undefined {
  if (last === undefined) return 'opened'
  if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(last.severity)) return 'changed'
  if (now - last.at >= repeatMs) return 'repeated'
  return now - last.at >= GROWTH_MS && hasMore(symptoms, last.children) ? 'changed' : undefined
}

function hasMore(symptoms: readonly Symptom[], told: readonly string[]): boolean {
  // Mostly it is what it was.
  if (symptoms.every(({ key }, index) => key === told[index])) return false
  const known = new Set(told)
  return symptoms.some(({ key }) => !known.has(key))
}

/** Of the incident only the share of the sink; `all`: what somebody is told of. */
function outgoing(
  sink: string,
  { language, zone }: Reader,
  incident: Incident,
  share: readonly Symptom[],
  all: readonly Symptom[],
  state: Notification['state'],
  why: Notification['why'],
  { mesh, now, link }: SayInput,
): Outgoing {
  const its = new Set(share)
  const children = incident.children.filter((child) => its.has(child))
  const shown = { ...incident, severity: severityOf(incident, share), children, told: {} }
  const elsewhere = nodesOf(all).length - nodesOf(symptomsOf(shown)).length
  const said = { state, why, mesh, incident: shown, elsewhere, language, zone, at: now }
  return { sink, notification: link === undefined ? said : { ...said, link } }
}
