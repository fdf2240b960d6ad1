/** Incidents and silences as the API shows them, made up by a test. */
import type { FastifyInstance } from 'fastify'
import type { Incident } from '../../../aggregator/alerting/model.ts'
import { type IncidentView, incidentView, type SilenceView } from '../../../aggregator/alerting/views.ts'
import { notification } from './samples.ts'

export interface SampleAlerts {
  incidents: readonly IncidentView[]
  silences: readonly SilenceView[]
  /** In which languages incidents were asked for. */
  readonly asked: string[]
}

export function sampleIncident(parts: Partial<Incident> = {}): IncidentView {
  return incidentView(notification({}, parts).incident, 'en')
}

export function registerSampleAlerts(api: FastifyInstance, alerts: SampleAlerts): void {
  api.get<{ Querystring: { language: string } }>('/api/v1/alerts', async ({ query }) => {
    alerts.asked.push(query.language)
    return { items: alerts.incidents, sinks: [] }
  })
  api.get('/api/v1/silences', async () => ({ items: alerts.silences }))
}
