/** CloudEvents 1.0 over HTTP, in structured mode: the envelope is the body. */
import { symptomsOf } from '../alerting/causes.ts'
import type { Notification } from '../alerting/model.ts'
import { linesOf, timeOf, titleOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { post } from './http.ts'
import { childLabelsOf } from './labels.ts'
import type { Sink } from './sink.ts'

const SYMPTOMS_MAX = 200

export function cloudeventsSink(config: Extract<SinkConfig, { kind: 'cloudevents' }>): Sink {
  const { url, urlFile, urlEnv, tokenFile, tokenEnv } = config
  return {
    notify: async (notification, signal) => {
      await post({
        address: { value: url, file: urlFile, env: urlEnv },
        token: { file: tokenFile, env: tokenEnv },
        contentType: 'application/cloudevents+json; charset=utf-8',
        body: cloudEventOf(notification),
        signal,
      })
    },
  }
}

export function cloudEventOf(notification: Notification): object {
  const { state, why, incident, mesh, language, at, link } = notification
  return {
    specversion: '1.0',
    // Source and id together are unique; whoever gets one twice may drop it.
    id: `${incident.id}/${state}/${at}`.toWellFormed(),
    source: `/starling/${encodeURIComponent(mesh)}`,
    type: `mesh.starling.alert.${state}`,
    subject: (incident.node || incident.zone || incident.reason).toWellFormed(),
    time: timeOf(at),
    datacontenttype: 'application/json',
    data: {
      incident: incident.id.toWellFormed(),
      state,
      why,
      reason: incident.reason,
      severity: incident.severity,
      title: titleOf(incident, language),
      lines: linesOf(notification, SYMPTOMS_MAX),
      openedAt: timeOf(incident.openedAt),
      symptoms: symptomsOf(incident).slice(0, SYMPTOMS_MAX).map(childLabelsOf),
      ...(link === undefined ? {} : { link }),
    },
  }
}
