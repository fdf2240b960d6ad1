/** A listening server in front of the sample, for tests that need a real connection. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { registerAlertRoutes } from '../../aggregator/alerting/routes.ts'
import type { Trail } from '../../aggregator/audit/trail.ts'
import { callersOf } from '../../aggregator/http/auth.ts'
import { createHttpServer, listenHttp } from '../../aggregator/http/server.ts'
import { registerInspectionRoutes } from '../../aggregator/inspection/routes.ts'
import { registerMeasureRoutes } from '../../aggregator/measures/routes.ts'
import { createNodeDesks, type NodeDesks } from '../../aggregator/node-desks.ts'
import type { Person } from '../../aggregator/people.ts'
import { registerReportRoutes } from '../../aggregator/reports/routes.ts'
import { openJournal, type SqliteJournal } from '../../aggregator/store/sqlite.ts'
import { sampleAlerting } from './alerting/sample-desk.ts'
import { registerSampleAlerts, type SampleAlerts } from './alerting/served.ts'
import { type SampleInspections, sampleInspections } from './inspection/served.ts'
import { sampleMeasures } from './measures/sample-measures.ts'
import { sampleReports } from './reports/sample-reports.ts'
import { createSamplePort, type SamplePort } from './sample-port.ts'

export const TOKEN = 'correct-horse-battery-staple'
/** Of a history with nothing in it. */
export const NO_TRAIL: Trail = {
  frame: () => ({ first: 1, earlier: 0, given: 0, heads: 0 }),
  rows: () => [],
  signed: () => [],
}
/** What cursors of the sample's events name it by. */
export const STORE_NAME = 'sample'
export const SILENT_LOG = pino({ level: 'silent' })

export interface ServedSample {
  readonly sample: SamplePort
  readonly server: FastifyInstance
  /** The history whose trail is served; the sample's own events are not in it. */
  readonly store: SqliteJournal
  /** Who is known by name; a test adds and removes them. */
  readonly people: Person[]
  readonly inspected: SampleInspections
  /** None, until a test has some. */
  readonly alerts: SampleAlerts
  /** Without a mesh to ask over, until a test starts it. */
  readonly desks: NodeDesks
  readonly url: string
  close(): Promise<void>
}

/** Without a `webRoot` there is no page, and without `metrics` there are none. */
export async function serveSample(webRoot?: string, metrics = async () => ''): Promise<ServedSample> {
  const empty = mkdtempSync(join(tmpdir(), 'starling-web-'))
  const sample = createSamplePort()
  const desks = createNodeDesks()
  const people: Person[] = []
  const store = openJournal(':memory:')
  await store.history.keepMeasures([{ node: 'node-4', hour: '2026-03-01T10:00:00.000Z', averages: { cpu: 12 } }])
  const inspected = sampleInspections(sample, store)
  const alerts: SampleAlerts = { incidents: [], silences: [], asked: [] }
  const server = createHttpServer({
    port: sample,
    storeName: STORE_NAME,
    version: '1.2.3',
    desks,
    trail: store.trail,
    callers: callersOf(TOKEN, () => people),
    webRoot: webRoot ?? empty,
    registerMore: (api) => {
      registerInspectionRoutes(api, inspected.inspections)
      registerReportRoutes(api, sampleReports())
      registerMeasureRoutes(api, { history: store.history, source: sampleMeasures(), leads: () => true })
      // A page shows what its test makes up.
      if (webRoot === undefined) registerAlertRoutes(api, sampleAlerting(sample))
      else registerSampleAlerts(api, alerts)
    },
    metrics,
    log: SILENT_LOG,
  })
  const url = await listenHttp(server, '127.0.0.1', 0)
  return {
    sample,
    server,
    desks,
    people,
    store,
    inspected,
    alerts,
    url,
    async close() {
      await server.close()
      store.close()
      rmSync(empty, { recursive: true })
    },
  }
}
