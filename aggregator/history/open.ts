/** The history that an aggregator's file names, with all that keeps it. */
import { Gauge, type Registry } from 'prom-client'
import type { Log } from '../../common/log.ts'
import type { HeadSigner } from '../audit/head.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { Carrier } from './carrier.ts'
import type { StoreConfig } from './config.ts'
import type { History } from './history.ts'
import { Housekeeping } from './housekeeping.ts'
import { openPostgres } from './postgres/history.ts'

export interface HistoryInit {
  readonly config: StoreConfig
  readonly journal: SqliteJournal
  readonly signer: HeadSigner
  readonly registry: Registry
  readonly log: Log
}

export interface KeptHistory {
  readonly history: History
  start(): void
  /** Why what is asked of it lacks what was lately stored; null while it does not. */
  stalled(): string | null
  /** The journal has taken in an event. */
  stored(): void
  /** What is under way comes to its end, or to that of its patience. */
  stop(): Promise<void>
}

/** Without a URL it is the journal's own; with one nothing waits for the server, and nothing is lost while it is away. */
export function openHistory({ config, journal, signer, registry, log }: HistoryInit): KeptHistory {
  const { url, passwordFile, retention: keep } = config
  const own = new Housekeeping({ history: journal.history, keep, signer, log })
  if (url === undefined) {
    return {
      history: journal.history,
      stalled: () => null,
      start: () => own.start(),
      stored: () => {},
      stop: () => own.stop(),
    }
  }
  const history = openPostgres({ url, passwordFile })
  const carrier = new Carrier({ journal, history, signer, log })
  const shared = new Housekeeping({ history, keep, signer, log })
  new Gauge({
    name: 'starling_history_lag_events',
    help: 'Events of the journal that are not in PostgreSQL yet',
    registers: [registry],
    collect() {
      this.set(carrier.lag)
    },
  })
  return {
    history,
    stalled: () => carrier.stalled,
    start: () => {
      own.start()
      shared.start()
      carrier.look()
    },
    stored: () => carrier.look(),
    stop: async () => {
      await Promise.all([own.stop(), shared.stop(), carrier.stop()])
      await history.close()
    },
  }
}
