/**
 * The aggregator's memory, put together: what is made of its journal and of what nodes say, for people to look back at and to
 * be told of. Nothing that is marked, elected or permitted waits for any of it.
 */
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../common/pino-log.ts'
import type { Questions } from '../mesh/libp2p/questions.ts'
import type { MeshNode } from '../mesh/libp2p/running-node.ts'
import type { SettingsDocument } from '../settings/document.ts'
import type { HeadSigner } from './audit/head.ts'
import type { AggregatorConfig } from './config.ts'
import { Housekeeping } from './history/housekeeping.ts'
import { openHistory } from './history/open.ts'
import { createMeasures } from './measures/run.ts'
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

export function createMemory({ config, journal, signer, service, leads, log }: MemoryInit): Memory {
  const history = openHistory(config.store, journal)
  const housekeeping = new Housekeeping({ history, keep: config.store.retention, signer, log })
  const measures = createMeasures({ history, members: () => service.roster.members, leads, log })
  return {
    registerRoutes: (api) => {
      measures.registerRoutes(api)
    },
    start: (mesh) => {
      housekeeping.start()
      measures.start(mesh)
    },
    stop: async () => {
      await measures.stop()
      await housekeeping.stop()
      await history.close()
    },
  }
}
