/** One daily report over the fleet of the tests; what is sent goes nowhere. */
import { reportPart } from '../../../aggregator/reports/config.ts'
import { Reports } from '../../../aggregator/reports/reports.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { fleetToday } from './fleet-1832.ts'

export function sampleReports(): Reports {
  const journal = openJournal(':memory:')
  const schedule = { cron: '0 8 * * *', timeZone: 'Asia/Shanghai' }
  return new Reports({
    reports: [reportPart.parse({ name: 'daily', kind: 'inspection', schedule, to: [{ mail: 'ops@example.org' }] })],
    page: undefined,
    mesh: 'sample-mesh',
    leads: () => true,
    inspect: async () => ({ run: fleetToday(), deltas: undefined }),
    review: () => Promise.reject(new Error('no review')),
    journal,
    isKnown: async () => false,
    record: (event) => journal.append({ ...event, at: '2026-11-21T00:00:00Z' }),
    deliveries: { add: () => {}, waitingOf: () => 0 },
    log: silentLog,
    now: () => Date.parse('2026-11-21T00:00:00Z'),
  })
}
