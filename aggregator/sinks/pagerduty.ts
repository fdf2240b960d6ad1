/** PagerDuty's Events API v2: an incident of ours is one of theirs, by its id. */
import { createHash } from 'node:crypto'
import type { Severity } from '../../detectors/contract.ts'
import type { Notification } from '../alerting/model.ts'
import { linesOf, timeOf, titleOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { post } from './http.ts'
import { readSecret } from './secret.ts'
import { type Sink, SinkError } from './sink.ts'

/** Bounds of its API. */
const KEY_CHARS_MAX = 255
const SUMMARY_CHARS_MAX = 1_024
const LINES_MAX = 50

const SEVERITIES: Readonly<Record<Severity, string>> = {
  info: 'info',
  warn: 'warning',
  alarm: 'error',
  error: 'critical',
}

export function pagerdutySink({ url, keyFile, keyEnv }: Extract<SinkConfig, { kind: 'pagerduty' }>): Sink {
  return {
    notify: async (notification, signal) => {
      const key = await readSecret({ file: keyFile, env: keyEnv })
      if (key === undefined) throw new SinkError('it has no routing key')
      await post({ address: { value: url }, body: pagerdutyEvent(key, notification), secrets: [key], signal })
    },
  }
}

export function pagerdutyEvent(key: string, notification: Notification): object {
  const { state, incident, mesh, language, link } = notification
  const event = { routing_key: key, dedup_key: dedupKey(incident.id) }
  if (state === 'resolved') return { ...event, event_action: 'resolve' }
  return {
    ...event,
    event_action: 'trigger',
    client: 'Starling',
    ...(link === undefined ? {} : { client_url: link, links: [{ href: link, text: 'Starling' }] }),
    payload: {
      summary: titleOf(incident, language).slice(0, SUMMARY_CHARS_MAX).toWellFormed(),
      source: (incident.node || incident.zone || mesh).toWellFormed(),
      severity: SEVERITIES[incident.severity],
      timestamp: timeOf(incident.openedAt),
      component: incident.reason,
      group: mesh,
      class: incident.kind,
      custom_details: { incident: incident.id.toWellFormed(), what: linesOf(notification, LINES_MAX) },
    },
  }
}

function dedupKey(id: string): string {
  return id.length <= KEY_CHARS_MAX ? id.toWellFormed() : createHash('sha256').update(id).digest('hex')
}
