/** Inspections of the sample mesh over a real history, and somebody who asks nodes as a test says. */

import { pino } from 'pino'
import type { FreshAnswer, FreshQuery } from '../../../aggregator/inspection/fresh-rows.ts'
import { Inspections } from '../../../aggregator/inspection/inspections.ts'
import type { Event } from '../../../aggregator/model.ts'
import type { SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import type { SettingsDocument } from '../../../settings/document.ts'
import type { SamplePort } from '../sample-port.ts'

export interface SampleInspections {
  readonly inspections: Inspections
  readonly recorded: readonly Omit<Event, 'at'>[]
  settings: SettingsDocument
  /** How nodes are asked anew; undefined: they cannot be. */
  fresh: ((query: FreshQuery) => Promise<FreshAnswer>) | undefined
  /** Why the history cannot be written; undefined: it can. */
  broken: Error | undefined
}

export function sampleInspections(sample: Pick<SamplePort, 'snapshot'>, { history }: SqliteJournal): SampleInspections {
  const recorded: Omit<Event, 'at'>[] = []
  const made: SampleInspections = {
    inspections: new Inspections({
      snapshot: () => sample.snapshot(),
      settings: () => made.settings,
      fresh: () => made.fresh && { rows: made.fresh },
      store: {
        keepInspection: async (run) => {
          if (made.broken !== undefined) throw made.broken
          await history.keepInspection(run)
        },
        inspections: (limit, profile) => history.inspections(limit, profile),
        inspection: (id) => history.inspection(id),
      },
      record: (event) => {
        if (made.broken !== undefined) throw made.broken
        recorded.push(event)
      },
      log: pino({ level: 'silent' }),
    }),
    recorded,
    settings: { version: 1, mesh: 'sample-mesh' },
    fresh: undefined,
    broken: undefined,
  }
  return made
}
