/** A report on remediation with one rule that only looked on, and one that has earned to go further. */
import type { RemediationReport } from '../../aggregator/outcomes/model.ts'

const NONE = { verified: 0, 'no-effect': 0, failed: 0, reverted: 0, 'revert-failed': 0 }

export function sampleReport(since: string): RemediationReport {
  const sysctl = { remediator: 'sysctl', reason: 'SomaxconnLow', pool: 'web' }
  return {
    since,
    rules: [
      {
        ...sysctl,
        policy: 'queues',
        mode: 'approve',
        faults: 22,
        plans: 23,
        wentAway: 2,
        wentAwayMedianMs: 90_000,
        begun: 20,
        refusedBy: [{ guard: 'budget-pool', plans: 3 }],
        outcomes: { ...NONE, verified: 20 },
      },
      {
        policy: 'remediators.disk-clean',
        mode: 'observe',
        remediator: 'disk-clean',
        reason: 'DiskAlmostFull',
        pool: '',
        faults: 4,
        plans: 4,
        wentAway: 0,
        wentAwayMedianMs: null,
        begun: 0,
        refusedBy: [],
        outcomes: NONE,
      },
    ],
    records: [
      {
        ...sysctl,
        mode: 'approve',
        outcomes: { ...NONE, verified: 20 },
        suggestion: { what: 'promote', mode: 'auto', why: 'the last 20 helped, and none was put back' },
      },
    ],
  }
}
