/**
 * The aggregator's memory, put together: what is made of its journal and of what nodes say, for people to look back at and to
 * be told of. Nothing that is marked, elected or permitted waits for any of it.
 */
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Logger } from '../common/pino-log.ts'
import type { Questions } from '../mesh/libp2p/questions.ts'
import type { MeshNode } from '../mesh/libp2p/running-node.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { createAlerting } from './alerting/run.ts'
import type { HeadSigner } from './audit/head.ts'
import type { AggregatorConfig } from './config.ts'
import { createCopying } from './copies/run.ts'
import type { CopiesView } from './copies/view.ts'
import { openHistory } from './history/open.ts'
import { storeName } from './http/cursor.ts'
import type { PastEvents } from './http/event-routes.ts'
import { MeshFreshRows } from './inspection/fresh.ts'
import { Inspections } from './inspection/inspections.ts'
import { registerInspectionRoutes } from './inspection/routes.ts'
import type { PodLabels } from './measures/pod-labels.ts'
import { createMeasures } from './measures/run.ts'
import { createReporting } from './reports/run.ts'
import type { AggregatorService } from './service.ts'
import type { WatchedJournal } from './store/write-watch.ts'

export interface MemoryInit {
  readonly node: string
  readonly config: AggregatorConfig
  readonly journal: WatchedJournal
  readonly service: AggregatorService
  readonly settings: () => SettingsDocument
  readonly leads: () => boolean
  /** Labels of pods, where there is a cluster. */
  readonly pods: PodLabels
  /** What other nodes ask of this one. */
  readonly questions: Questions
  /** Vouches for where the history begins, once older events were let go. */
  readonly signer: HeadSigner
  readonly registry: Registry
  readonly log: Logger
}

export interface Memory {
  /** Where events are looked up that people look back at. */
  readonly past: PastEvents
  /** Under /api/v1, where the token was asked for. */
  registerRoutes(api: FastifyInstance): void
  copies(): CopiesView
  /** The mesh runs. */
  start(mesh: MeshNode): void
  stop(): Promise<void>
}

/** One part of the memory: what it answers, and its life. */
interface Part {
  registerRoutes?(api: FastifyInstance): void
  start?(mesh: MeshNode): void
  stop?(): Promise<void> | void
}

export function createMemory(init: MemoryInit): Memory {
  const { node, config, journal, service, settings, leads, pods, log } = init
  const store = openHistory({
    ...init,
    config: config.store,
    record: (event) => service.recorder.remember(event),
    carried: (upTo) => copying.carried(upTo),
  })
  const { history } = store
  const unsubscribe = service.subscribe((event) => event && store.stored())
  const copying = createCopying(init)
  const fresh = new MeshFreshRows({
    node,
    states: () => new Map(service.present()?.members.map((member) => [member.node, member.state])),
    log,
  })
  const inspections = new Inspections({
    snapshot: () => service.snapshot(),
    settings,
    fresh: () => fresh,
    store: history,
    record: (event) => service.recorder.remember(event),
    log,
  })
  const measures = createMeasures({ node, history, members: () => service.roster.members, leads, pods, log })
  const parts: readonly Part[] = [
    copying,
    fresh,
    { registerRoutes: (api) => registerInspectionRoutes(api, inspections) },
    measures,
    createAlerting({ ...init, measures: measures.source }),
    createReporting({ ...init, history, inspections }),
  ]
  return {
    past: {
      store: store.storeName ?? (async () => storeName(journal, node)),
      query: (query) => history.query(query),
      stalled: store.stalled,
    },
    registerRoutes: (api) => {
      for (const part of parts) part.registerRoutes?.(api)
    },
    copies: copying.view,
    start: (mesh) => {
      store.start()
      for (const part of parts) part.start?.(mesh)
    },
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop?.()))
      unsubscribe()
      await store.stop()
    },
  }
}
