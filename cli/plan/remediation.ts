/** What each rule of remediation would have done and did, and how far each has earned to go by itself, as tables. */
import {
  OUTCOMES,
  type OutcomeCounts,
  type RemediationReport,
  type RuleReport,
  type TrustRecord,
} from '../../aggregator/outcomes/model.ts'
import { formatDuration } from '../../common/duration.ts'
import { type Cell, table } from '../table.ts'
import { localTime } from '../text.ts'

const RULE_COLUMNS = [
  'POLICY',
  'MODE',
  'FIX',
  'FAULT',
  'POOL',
  'FAULTS',
  'WENT AWAY',
  'AFTER',
  'BEGUN',
  'CAME TO',
  'REFUSED BY',
]
const TRUST_COLUMNS = ['FIX', 'FAULT', 'POOL', 'MODE', '90 DAYS', 'SUGGESTION', 'WHY']

export function remediationTables({ since, rules, records }: RemediationReport): string {
  const told = rules.length === 0 ? `no plan since ${localTime(since)}\n` : table(RULE_COLUMNS, rules.map(ruleRow))
  return records.length === 0 ? told : `${told}\n${table(TRUST_COLUMNS, records.map(trustRow))}`
}

function ruleRow(rule: RuleReport): readonly Cell[] {
  const { policy, mode, remediator, reason, pool, faults, wentAway, wentAwayMedianMs, begun, outcomes, refusedBy } =
    rule
  return [
    policy,
    mode,
    remediator,
    reason,
    pool,
    String(faults),
    String(wentAway),
    // The median: half of them took no longer.
    wentAwayMedianMs === null ? '' : formatDuration(wentAwayMedianMs),
    String(begun),
    cameTo(outcomes),
    refusedBy.map(({ guard, plans }) => `${guard} ${plans}`).join(', '),
  ]
}

function trustRow({ remediator, reason, pool, mode, outcomes, suggestion }: TrustRecord): readonly Cell[] {
  const { what, mode: to, why } = suggestion
  const style = { promote: 'green', demote: 'red', keep: 'dim' } as const
  const text = what === 'keep' ? 'keep' : `${what} to ${to}`
  return [remediator, reason, pool, mode, cameTo(outcomes), { text, style: style[what] }, why]
}

function cameTo(outcomes: OutcomeCounts): string {
  return OUTCOMES.filter((outcome) => outcomes[outcome] > 0)
    .map((outcome) => `${outcomes[outcome]} ${outcome}`)
    .join(', ')
}
