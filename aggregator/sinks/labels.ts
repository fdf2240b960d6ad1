/** Labels and annotations of an incident as Prometheus' world knows alerts. */
import type { Notification, Symptom } from '../alerting/model.ts'
import { harmless, linesOf, sentenceOf, titleOf } from '../alerting/texts.ts'

/** By it our own alerts are known again when they come back. */
export const OWN_LABEL = 'starling_incident'

const LINES_MAX = 50

/** What tells an alert from all others must not change while it lasts: neither children nor how grave it is are in it. */
export function labelsOf({ incident, mesh }: Notification): Readonly<Record<string, string>> {
  const { reason, node, zone, id } = incident
  return filled({ alertname: reason, mesh, node, zone, [OWN_LABEL]: id })
}

export function annotationsOf(notification: Notification): Readonly<Record<string, string>> {
  const { incident, language } = notification
  return filled({
    summary: titleOf(incident, language),
    description: linesOf(notification, LINES_MAX).join('\n'),
    severity: incident.severity,
  })
}

/** Of one child beside the labels that all of them have. */
export function childLabelsOf({ severity, at, cause, reason }: Symptom): Readonly<Record<string, string>> {
  return filled({ severity, reason, node: at?.node ?? '', zone: at?.zone ?? '', pool: at?.pool ?? '', cause })
}

export function childAnnotationsOf(child: Symptom, { language }: Notification): Readonly<Record<string, string>> {
  return filled({ summary: sentenceOf(child, language) })
}

function filled(pairs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = Object.entries(pairs).filter(([, value]) => value !== '')
  return Object.fromEntries(kept.map(([key, value]) => [key, key === 'description' ? value : harmless(value)]))
}
