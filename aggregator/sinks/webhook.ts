/** Any receiver of Alertmanager's webhooks: the same payload (version 4), an alert for each thing that belongs to the incident. */
import { createHash } from 'node:crypto'
import { symptomsOf } from '../alerting/causes.ts'
import type { Notification } from '../alerting/model.ts'
import { timeOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { post } from './http.ts'
import { annotationsOf, childAnnotationsOf, childLabelsOf, labelsOf } from './labels.ts'
import type { Sink } from './sink.ts'

const ALERTS_MAX = 200
/** Of an alert that goes on: as Alertmanager writes it. */
const NO_END = '0001-01-01T00:00:00Z'

export function webhookSink(name: string, config: Extract<SinkConfig, { kind: 'webhook' }>): Sink {
  const { url, urlFile, urlEnv, tokenFile, tokenEnv } = config
  return {
    notify: async (notification, signal) => {
      await post({
        address: { value: url, file: urlFile, env: urlEnv },
        token: { file: tokenFile, env: tokenEnv },
        body: payloadOf(name, notification),
        signal,
      })
    },
  }
}

export function payloadOf(receiver: string, notification: Notification): object {
  const { state, incident, at, link = '' } = notification
  const status = state === 'resolved' ? 'resolved' : 'firing'
  const common = labelsOf(notification)
  const symptoms = symptomsOf(incident)
  const alerts = symptoms.slice(0, ALERTS_MAX).map((symptom) => ({
    status,
    labels: { ...common, ...childLabelsOf(symptom) },
    annotations: childAnnotationsOf(symptom, notification),
    startsAt: timeOf(incident.openedAt),
    endsAt: status === 'resolved' ? timeOf(at) : NO_END,
    generatorURL: link,
    fingerprint: createHash('sha256').update(symptom.key).digest('hex').slice(0, 16),
  }))
  return {
    version: '4',
    groupKey: incident.id,
    truncatedAlerts: symptoms.length - alerts.length,
    status,
    receiver,
    groupLabels: common,
    commonLabels: common,
    commonAnnotations: annotationsOf(notification),
    externalURL: link,
    alerts,
  }
}
