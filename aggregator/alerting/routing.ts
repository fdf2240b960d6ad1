/** Who is told of what: routes and silences ask the same of a symptom. */
import { fits } from '../../common/selector.ts'
import type { AlertMatch, AlertRoute } from '../../settings/alerting.ts'
import { gravest, symptomsOf } from './causes.ts'
import type { Cause, Reader, Symptom } from './model.ts'
import type { Silence } from './silence-model.ts'

export interface Receiver extends Reader {
  readonly sink: string
  readonly repeatMs: number
  /** What its routes are for, in the order of the incident. */
  readonly symptoms: readonly Symptom[]
}

/** `told`: what is not silenced of it. Undelivered words about a sink do not go to that very sink. */
export function receiversOf(
  cause: Pick<Cause, 'reason' | 'root'>,
  told: readonly Symptom[],
  routes: readonly AlertRoute[],
): readonly Receiver[] {
  const receivers = new Map<string, Receiver>()
  for (const { match, sinks, language, zone, repeatMs } of routes) {
    const symptoms = partFor(match, cause, told)
    if (symptoms.length === 0) continue
    for (const sink of sinks) {
      if (cause.reason === 'Undelivered' && symptoms.every((symptom) => symptom.cause === sink)) continue
      const known = receivers.get(sink) ?? { sink, language, zone, repeatMs, symptoms: [] }
      receivers.set(sink, { ...known, symptoms: joined(known.symptoms, symptoms, told) })
    }
  }
  return [...receivers.values()]
}

/** Where a route leads to what nobody has set up: those are named, and nobody counts as told there. */
export function leadingSomewhere(
  routes: readonly AlertRoute[],
  sinks: readonly string[],
): { readonly routes: readonly AlertRoute[]; readonly nowhere: readonly string[] } {
  const named = new Set(routes.flatMap((route) => route.sinks))
  return {
    routes: routes.map((route) => ({ ...route, sinks: route.sinks.filter((sink) => sinks.includes(sink)) })),
    nowhere: [...named].filter((sink) => !sinks.includes(sink)),
  }
}

/** How grave it is, is asked of all that the rest of the match fits: a pager is told of the whole that an error is in. */
function partFor(
  { severities, ...match }: AlertMatch,
  cause: Pick<Cause, 'reason' | 'root'>,
  told: readonly Symptom[],
): readonly Symptom[] {
  // Who is told of a node's death is told of what it brings.
  const isForAll = Object.keys(match).length === 0 || (cause.root !== undefined && matches(match, cause.root))
  const symptoms = isForAll ? told : told.filter((symptom) => matches(match, symptom, cause.reason))
  return severities === undefined || severities.includes(severityOf(cause, symptoms)) ? symptoms : []
}

/** Of an incident, or of a part of it. */
export function severityOf({ root }: Pick<Cause, 'root'>, symptoms: readonly Symptom[]): Symptom['severity'] {
  // What a dead node said of itself does not make its death graver or less grave.
  return root?.severity ?? gravest(symptoms)
}

function joined(a: readonly Symptom[], b: readonly Symptom[], all: readonly Symptom[]): readonly Symptom[] {
  if (a.length === 0 || b.length === all.length) return b
  if (a.length === all.length) return a
  const both = new Set([...a, ...b])
  return all.filter((symptom) => both.has(symptom))
}

/** Of each kind that is given one must fit. `whole`: the reason of what the symptom is a part of. */
function matches(match: AlertMatch, symptom: Symptom, whole = symptom.reason): boolean {
  const { severities, reasons, rules, selector } = match
  if (severities !== undefined && !severities.includes(symptom.severity)) return false
  if (reasons !== undefined && !(reasons.includes(symptom.reason) || reasons.includes(whole))) return false
  if (rules !== undefined && !rules.includes(symptom.rule)) return false
  if (selector === undefined) return true
  return symptom.at !== undefined && fits(selector, symptom.at)
}

/** What is left to be told of a cause, and the silences that hold the rest back. */
export function unsilenced(
  cause: Pick<Cause, 'root' | 'children'>,
  silences: readonly Silence[],
): { readonly told: readonly Symptom[]; readonly by: readonly string[] } {
  const by = new Set<string>()
  const isHeld = (symptom: Symptom) => {
    const silence = silences.find(({ match }) => matches(match, symptom))
    if (silence !== undefined) by.add(silence.id)
    return silence !== undefined
  }
  // Who knows of a node's death knows of what it brings.
  if (cause.root !== undefined && isHeld(cause.root)) return { told: [], by: [...by] }
  const children = silences.length === 0 ? cause.children : cause.children.filter((child) => !isHeld(child))
  return { told: symptomsOf({ ...cause, children }), by: [...by] }
}
