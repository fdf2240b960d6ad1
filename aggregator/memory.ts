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
import { sharedStoreName, storeName } from './http/cursor.ts'
import type { PastEvents } from './http/event-routes.ts'
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
  /** Where events are looked up that people look back at. */
  readonly past: PastEvents
  /** Under /api/v1, where the token was asked for. */
  registerRoutes(api: FastifyInstance): void
  /** The mesh runs. */
  start(mesh: MeshNode): void
  stop(): Promise<void>
}

export function createMemory({ node, config, journal, signer, log }: MemoryInit): Memory {
  const history = openHistory(config.store, journal)
  const housekeeping = new Housekeeping({ history, keep: config.store.retention, signer, log })
  const { url } = config.store
  return {
    past: {
      store: url === undefined ? storeName(journal, node) : sharedStoreName(url),
      query: (query) => history.query(query),
    },
    registerRoutes: (_api) => {},
    start: (_mesh) => {
      housekeeping.start()
    },
    stop: async () => {
      await housekeeping.stop()
      await history.close()
    },
  }
}
