/** Reports put together with what they need: what they tell of, where they go, and what is remembered of them. */
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../../common/pino-log.ts'
import type { AggregatorConfig } from '../config.ts'
import type { History } from '../history/history.ts'
import type { Inspections } from '../inspection/inspections.ts'
import type { Event, Journal } from '../model.ts'
import type { AggregatorService } from '../service.ts'
import { smtpMailer } from '../sinks/mail.ts'
import { targetName } from './config.ts'
import { Deliveries } from './deliveries.ts'
import { inspectFor } from './inspecting.ts'
import { deliver } from './places.ts'
import { Reports } from './reports.ts'
import { REVIEWED_KINDS, ReviewTally } from './review.ts'
import { registerReportRoutes } from './routes.ts'

const PAGE = 1_000

export interface ReportingInit {
  readonly config: Pick<AggregatorConfig, 'reports' | 'mesh' | 'page' | 'mail'>
  readonly journal: Journal
  readonly history: Pick<History, 'byId' | 'query'>
  readonly service: Pick<AggregatorService, 'remediationPlan' | 'recorder'>
  readonly inspections: Pick<Inspections, 'take' | 'begin' | 'state' | 'deltas'>
  readonly leads: () => boolean
  readonly log: Logger
}

export interface Reporting {
  registerRoutes(api: FastifyInstance): void
  start(): void
  stop(): Promise<void>
}

export function createReporting(init: ReportingInit): Reporting {
  const { config, journal, history, service, inspections, leads, log } = init
  const mailer = config.mail === undefined ? undefined : smtpMailer(config.mail)
  const record = (event: Omit<Event, 'at'>) => service.recorder.remember(event)
  const deliveries = new Deliveries({
    journal,
    deliver: (delivery, stop) => deliver(delivery, mailer, stop),
    lost: ({ id, report, subject, to }, why) =>
      record({
        id: `undelivered/${id}`,
        kind: 'undelivered',
        node: '',
        tone: 'act',
        summary: `${report} did not reach ${targetName(to)}: ${why}`,
        causedBy: id.slice(0, id.indexOf('#')),
        data: { report, to: targetName(to), subject, why },
      }),
    log,
  })
  const reports = new Reports({
    reports: config.reports,
    page: config.page?.replace(/\/+$/, ''),
    mesh: config.mesh.id,
    leads,
    inspect: (order) => inspectFor(inspections, order, log),
    review: async (since, until) => {
      const tally = new ReviewTally(since, until, (id) => journal.byId(id))
      for (let before = Number.MAX_SAFE_INTEGER; ; ) {
        const page = await history.query({ kinds: REVIEWED_KINDS, from: since, until, before, limit: PAGE })
        for (const event of page) tally.add(event)
        const [oldest] = page
        if (oldest === undefined || page.length < PAGE) break
        before = oldest.seq
      }
      return tally.review(service.remediationPlan(since))
    },
    journal,
    isKnown: async (id) => (await history.byId(id)) !== null,
    record,
    deliveries,
    log,
    now: () => Date.now(),
  })
  return {
    registerRoutes: (api) => {
      registerReportRoutes(api, reports)
    },
    start() {
      deliveries.start()
      reports.start()
    },
    async stop() {
      await reports.stop()
      await deliveries.stop()
    },
  }
}
