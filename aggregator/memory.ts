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
import type { HeadSigner } from './audit/head.ts'
import type { AggregatorConfig } from './config.ts'
import { openHistory } from './history/open.ts'
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
  readonly registry: Registry
  readonly log: Logger
}

export interface Memory {
  /** Under /api/v1, where the token was asked for. */
  registerRoutes(api: FastifyInstance): void
  /** The mesh runs. */
  start(mesh: MeshNode): void
  stop(): Promise<void>
}

export function createMemory({ config, journal, service, signer, registry, log }: MemoryInit): Memory {
  const { history: _, ...store } = openHistory({ config: config.store, journal, signer, registry, log })
  const unsubscribe = service.subscribe((event) => event && store.stored())
  return {
    registerRoutes: (_api) => {},
    start: (_mesh) => {
      store.start()
    },
    stop: async () => {
      unsubscribe()
      await store.stop()
    },
  }
}
