/** Fleets and runs for the tests of inspections. */
import fc from 'fast-check'
import { inspect, type MatrixInput } from '../../../inspection/matrix.ts'
import { type InspectionRun, SILENT_WHYS, type SilentWhy } from '../../../inspection/model.ts'
import type { InspectionProfile, ProfileCheck, ProfileRole } from '../../../inspection/profile-model.ts'
import type { RowStatus, SummaryRow } from '../../../inspection/row.ts'
import { type SaidBy, saidByRows } from '../../../inspection/said.ts'

const DETECTORS = ['a', 'b', 'c', 'd', 'plugin']
const ROLES = ['etcd', 'control-plane', 'worker', 'gpu']
const STATUSES: readonly RowStatus[] = ['ok', 'info', 'warn', 'alarm', 'error', 'unknown', 'not-applicable']

export function said(node: string, statuses: Readonly<Record<string, RowStatus>>): SummaryRow {
  const entries = Object.entries(statuses)
  return {
    node,
    at: '2026-11-21T00:00:00Z',
    fine: entries.flatMap(([detector, status]) => (status === 'ok' ? [detector] : [])),
    findings: entries.flatMap(([detector, status]) =>
      status === 'ok' ? [] : [{ detector, status, reason: `Reason${detector}`, summary: `${detector} is ${status}` }],
    ),
    measures: {},
    older: {},
  }
}

export function saidBy(rows: readonly SummaryRow[]): ReadonlyMap<string, SaidBy> {
  return saidByRows(rows)
}

/** With the parts that a test does not care for. */
export function run(given: Partial<MatrixInput> & Pick<MatrixInput, 'profile' | 'nodes'>): InspectionRun {
  return inspect({
    id: 'run-1',
    mesh: 'prod-a',
    origin: 'state',
    startedAt: '2026-11-21T00:00:00.000Z',
    finishedAt: '2026-11-21T00:00:01.000Z',
    silent: new Map(),
    said: new Map(),
    ...given,
  })
}

const check: fc.Arbitrary<ProfileCheck> = fc.record(
  {
    check: fc.constantFrom('a', 'b', 'c', 'group', 'others'),
    detectors: fc.oneof(
      fc.constant('others' as const),
      fc.uniqueArray(fc.constantFrom(...DETECTORS), { minLength: 1 }),
    ),
  },
  { requiredKeys: ['check'] },
)

const role: fc.Arbitrary<ProfileRole> = fc.record(
  {
    role: fc.constantFrom(...ROLES, 'rest'),
    of: fc.oneof(fc.constant('others' as const), fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1 })),
    withoutRole: fc.boolean(),
    checks: fc.uniqueArray(check, { minLength: 1, selector: (one) => one.check }),
  },
  { requiredKeys: ['role', 'checks'] },
)

export const anyProfile: fc.Arbitrary<InspectionProfile> = fc.record({
  name: fc.constant('any'),
  roles: fc.uniqueArray(role, { minLength: 1, selector: (one) => one.role }),
})

const anyNode = fc.record({
  node: fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5', 'n6'),
  roles: fc.uniqueArray(fc.constantFrom(...ROLES, 'unheard-of')),
  why: fc.option(fc.constantFrom(...SILENT_WHYS), { nil: undefined, freq: 2 }),
  statuses: fc.dictionary(fc.constantFrom(...DETECTORS), fc.constantFrom(...STATUSES)),
})

/** Names may come twice, silent nodes may have said something before, and some have never said anything. */
export const anyFleet: fc.Arbitrary<Pick<MatrixInput, 'nodes' | 'silent' | 'said'>> = fc
  .array(anyNode, { maxLength: 8 })
  .map((nodes) => ({
    nodes,
    silent: new Map(nodes.flatMap(({ node, why }) => (why === undefined ? [] : [[node, why] as [string, SilentWhy]]))),
    said: saidBy(nodes.map(({ node, statuses }) => said(node, statuses))),
  }))
