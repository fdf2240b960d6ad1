/** Alerting, put together: sinks of the configuration, rules of the settings, and what the aggregator knows. */
import type { FastifyInstance } from 'fastify'
import type { Log } from '../../common/log.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import type { AggregatorConfig } from '../config.ts'
import type { MeasureSource } from '../measures/source.ts'
import type { Journal } from '../model.ts'
import type { AggregatorService } from '../service.ts'
import { Dispatch } from '../sinks/dispatch.ts'
import { makeSinks } from '../sinks/make.ts'
import { AlertDesk } from './desk.ts'
import { ForeignAlerts } from './foreign-desk.ts'
import { registerAlertRoutes } from './routes.ts'

export interface AlertingInit {
  readonly node: string
  readonly config: Pick<AggregatorConfig, 'mesh' | 'sinks' | 'mail' | 'page'>
  readonly journal: Journal
  readonly service: AggregatorService
  readonly settings: () => SettingsDocument
  readonly leads: () => boolean
  readonly measures: MeasureSource
  readonly log: Log
}

export interface RunningAlerting {
  registerRoutes(api: FastifyInstance): void
  start(): void
  stop(): void
}

export function createAlerting({
  node,
  config,
  journal,
  service,
  settings,
  leads,
  measures,
  log,
}: AlertingInit): RunningAlerting {
  const story = service.recorder.alerts
  const foreign = new ForeignAlerts(journal)
  service.fleet.foreign = () =>
    foreign.findings(new Set(service.roster.members.map((member) => member.node)), Date.now())
  const sinks = makeSinks(config.sinks, config.mail)
  const dispatch = new Dispatch({ sinks, journal, lost: (letter) => story.lost(letter), log })
  const { page: link } = config
  const snapshot = () => service.snapshot()
  const subscribe = service.subscribe.bind(service)
  const alerting = () => settings().alerting
  const now = Date.now
  const told = { story, dispatch, link }
  const known = { journal, snapshot, subscribe, settings: alerting, leads, measures, now }
  const desk = new AlertDesk({ node, log, ...known, ...told })
  return {
    registerRoutes: (api) => {
      registerAlertRoutes(api, { desk, dispatch, foreign, story, snapshot, mesh: config.mesh.id, link })
    },
    start: () => desk.start(),
    stop: () => desk.stop(),
  }
}
