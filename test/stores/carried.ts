/** A journal whose events are carried to a PostgreSQL, as an aggregator's are. */
import { Registry } from 'prom-client'
import type { HeadSigner } from '../../aggregator/audit/head.ts'
import { storePart } from '../../aggregator/history/config.ts'
import { type KeptHistory, openHistory } from '../../aggregator/history/open.ts'
import type { SqliteJournal } from '../../aggregator/store/sqlite.ts'
import type { Log } from '../../common/log.ts'

export interface CarriedInit {
  readonly journal: SqliteJournal
  readonly url: string
  readonly passwordFile: string
  readonly signer: HeadSigner
  readonly log: Log
}

export interface Carried {
  readonly kept: KeptHistory
  /** Events and records that are not there yet, as the metrics say it. */
  lag(): Promise<number>
  recordsLag(): Promise<number>
  /** What whoever waits for it was told, one after the other. */
  readonly places: readonly number[]
}

export function openCarried({ journal, url, passwordFile, signer, log }: CarriedInit): Carried {
  const registry = new Registry()
  const places: number[] = []
  const kept = openHistory({
    config: storePart.parse({ url, passwordFile }),
    journal,
    signer,
    record: (event) => void journal.append({ ...event, at: new Date().toISOString() }),
    carried: (upTo) => places.push(upTo),
    registry,
    log,
  })
  const metric = async (name: string) => {
    const all = await registry.getMetricsAsJSON()
    return Number(all.find((one) => one.name === name)?.values[0]?.value)
  }
  return {
    kept,
    places,
    lag: () => metric('starling_history_lag_events'),
    recordsLag: () => metric('starling_history_lag_records'),
  }
}
