/** Who is told of what: routes and silences ask the same of a symptom. */
import { fits } from '../../common/selector.ts'
import type { AlertMatch, AlertRoute } from '../../settings/alerting.ts'
import type { Cause, Symptom } from './model.ts'
import type { Silence } from './silence-model.ts'

export interface Receiver {
  readonly sink: string
  readonly language: AlertRoute['language']
  readonly repeatMs: number
}

/** `told`: what is not silenced of it. Undelivered words about a sink do not go to that very sink. */
export function receiversOf(
  cause: Pick<Cause, 'kind' | 'reason' | 'severity'>,
  told: readonly Symptom[],
  routes: readonly AlertRoute[],
): readonly Receiver[] {
  const receivers = new Map<string, Receiver>()
  for (const { match, sinks, language, repeatMs } of routes) {
    if (!told.some((symptom) => matches(match, symptom, cause))) continue
    for (const sink of sinks) {
      if (receivers.has(sink)) continue
      if (cause.reason === 'Undelivered' && told.every((symptom) => symptom.cause === sink)) continue
      receivers.set(sink, { sink, language, repeatMs })
    }
  }
  return [...receivers.values()]
}

/** Of each kind that is given one must fit. How grave it is, is asked of the whole where a symptom is part of one. */
export function matches(
  match: AlertMatch,
  symptom: Symptom,
  whole: Pick<Cause, 'reason' | 'severity'> = symptom,
): boolean {
  const { severities, reasons, rules, selector } = match
  if (severities !== undefined && !severities.includes(whole.severity)) return false
  if (reasons !== undefined && !(reasons.includes(symptom.reason) || reasons.includes(whole.reason))) return false
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
  const children = cause.children.filter((child) => !isHeld(child))
  return { told: cause.root === undefined ? children : [cause.root, ...children], by: [...by] }
}
