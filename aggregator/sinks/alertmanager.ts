/** Prometheus' Alertmanager, by its API v2. It takes an alert for over when it is not told again, so it is, each minute. */
import { timeOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { post } from './http.ts'
import { annotationsOf, labelsOf } from './labels.ts'
import type { Sink } from './sink.ts'

const KEEP_EVERY_MS = 60_000
/** Until then it holds, should nobody say it again: as Prometheus, four times as long as it takes to. */
const HOLDS_MS = 4 * KEEP_EVERY_MS

export function alertmanagerSink({
  url,
  urlFile,
  urlEnv,
  tokenFile,
  tokenEnv,
}: Extract<SinkConfig, { kind: 'alertmanager' }>): Sink {
  return {
    keepEveryMs: KEEP_EVERY_MS,
    notify: async (notification, signal) => {
      const { state, incident, at, link } = notification
      // From when it is sent: it may have waited for its turn.
      const ends = state === 'firing' ? Date.now() + HOLDS_MS : at
      const alert = {
        // How grave it is belongs to what people route by, though it may rise: then it is another alert, and this one ends.
        labels: { ...labelsOf(notification), severity: incident.severity },
        annotations: annotationsOf(notification),
        startsAt: timeOf(incident.openedAt),
        endsAt: timeOf(ends),
        ...(link === undefined ? {} : { generatorURL: link }),
      }
      await post({
        address: { value: url, file: urlFile, env: urlEnv },
        path: '/api/v2/alerts',
        token: { file: tokenFile, env: tokenEnv },
        body: [alert],
        signal,
      })
    },
  }
}
