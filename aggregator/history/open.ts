/** The history that an aggregator's file names, with all that keeps it. */
import { Gauge, type Registry } from 'prom-client'
import type { Log } from '../../common/log.ts'
import type { HeadSigner } from '../audit/head.ts'
import type { Event } from '../event-model.ts'
import type { SqliteJournal } from '../store/sqlite.ts'
import { Carrier } from './carrier.ts'
import type { StoreConfig } from './config.ts'
import type { HeldRecord } from './held.ts'
import type { History } from './history.ts'
import { Housekeeping } from './housekeeping.ts'
import { openPostgres } from './postgres/history.ts'

export interface HistoryInit {
  readonly config: StoreConfig
  readonly journal: SqliteJournal
  readonly signer: HeadSigner
  /** Puts on record what people are to be told of the history itself. */
  readonly record: (event: Omit<Event, 'at'>) => void
  /** PostgreSQL has all up to this place of the journal; less than before, when it was set back. */
  readonly carried: (upTo: number) => void
  readonly registry: Registry
  readonly log: Log
}

export interface KeptHistory {
  readonly history: History
  /** What cursors name it by, when that is not the journal's name. */
  readonly storeName?: () => Promise<string>
  start(): void
  /** Why what is asked of it lacks what was lately stored; null while it does not. */
  stalled(): string | null
  /** The journal has taken in an event. */
  stored(): void
  /** What is under way comes to its end, or to that of its patience. */
  stop(): Promise<void>
}

/** Without a URL it is the journal's own; with one nothing waits for the server, and nothing is lost while it is away. */
export function openHistory(init: HistoryInit): KeptHistory {
  const { config, journal, signer, registry, log } = init
  const { url, passwordFile, retention } = config
  if (url === undefined) {
    const own = new Housekeeping({ history: journal.history, keep: () => retention, signer, log })
    return {
      history: journal.history,
      stalled: () => null,
      start: () => own.start(),
      stored: () => {},
      stop: () => own.stop(),
    }
  }
  const history = openPostgres({ url, passwordFile })
  const carrier = new Carrier({ ...init, history })
  const keep = () => ({ ...retention, eventsFrom: carrier.keepFrom })
  const own = new Housekeeping({ history: journal.history, keep, signer, log })
  const shared = new Housekeeping({ history, keep: () => retention, signer, log })
  const hold = (held: HeldRecord) => {
    journal.held.hold(held)
    carrier.look()
  }
  new Gauge({
    name: 'starling_history_lag_events',
    help: 'Events of the journal that are not in PostgreSQL yet',
    registers: [registry],
    collect() {
      this.set(carrier.lag)
    },
  })
  new Gauge({
    name: 'starling_history_lag_records',
    help: 'Inspections, and batches of hours of measures, that are not in PostgreSQL yet',
    registers: [registry],
    collect() {
      this.set(carrier.recordsLag)
    },
  })
  return {
    history: {
      ...history,
      keepMeasures: async (hours) => hold({ kind: 'hours', hours }),
      keepInspection: async (run) => hold({ kind: 'inspection', run }),
    },
    storeName: () => carrier.storeName(),
    stalled: () => carrier.stalled,
    start: () => {
      own.start()
      shared.start()
      carrier.start()
    },
    stored: () => carrier.look(),
    stop: async () => {
      await Promise.all([own.stop(), shared.stop(), carrier.stop()])
      await history.close()
    },
  }
}
