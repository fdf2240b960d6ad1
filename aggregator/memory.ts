/**
 * The aggregator's memory, put together: what is made of its journal and of what nodes say, for people to look back at and to
 * be told of. Nothing that is marked, elected or permitted waits for any of it.
 */
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../common/pino-log.ts'
import type { Questions } from '../mesh/libp2p/questions.ts'
import type { MeshNode } from '../mesh/libp2p/running-node.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { createAlerting } from './alerting/run.ts'
import type { HeadSigner } from './audit/head.ts'
import type { AggregatorConfig } from './config.ts'
import { Housekeeping } from './history/housekeeping.ts'
import { openHistory } from './history/open.ts'
import type { MeasureSource } from './measures/source.ts'
import type { AggregatorService } from './service.ts'
import type { SqliteJournal } from './store/sqlite.ts'

export interface MemoryInit {
  readonly node: string
  readonly config: AggregatorConfig
  readonly journal: SqliteJournal
  readonly service: AggregatorService
  readonly settings: () => SettingsDocument
  readonly leads: () => boolean
  /** What other nodes ask of this one. */
  readonly questions: Questions
  /** Vouches for where the history begins, once older events were let go. */
  readonly signer: HeadSigner
  readonly log: Logger
}

export interface Memory {
  /** Under /api/v1, where the token was asked for. */
  registerRoutes(api: FastifyInstance): void
  /** The mesh runs. */
  start(mesh: MeshNode): void
  stop(): Promise<void>
}

/** Says nothing of any measure: rules over them neither fire nor resolve. */
const NO_MEASURES: MeasureSource = { averages: () => [] }

export function createMemory(init: MemoryInit): Memory {
  const { config, journal, signer, log } = init
  const history = openHistory(config.store, journal)
  const housekeeping = new Housekeeping({ history, keep: config.store.retention, signer, log })
  const alerting = createAlerting({ ...init, measures: NO_MEASURES })
  return {
    registerRoutes: (api) => {
      alerting.registerRoutes(api)
    },
    start: (_mesh) => {
      housekeeping.start()
      alerting.start()
    },
    stop: async () => {
      alerting.stop()
      await housekeeping.stop()
      await history.close()
    },
  }
}
