/** docs/remediation.md says of each guard what the code says: what it refuses, by which default, and in which words. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { GUARDS } from '../../../remediators/guards/index.ts'
import { type GuardsSettings, guardsPart, readGuards } from '../../../remediators/guards/settings.ts'
import type { GuardView } from '../../../remediators/guards/view.ts'
import { ask, endedOf, faultOf, fleetOf, HOUR_MS, MINUTE_MS, NODE, NOW_MS, permitOf, planOf, viewOf } from './views.ts'

const page = readFileSync(new URL('../../../docs/remediation.md', import.meta.url), 'utf8')

const down = { isDown: true }
const plane = { roles: ['control-plane'], etcd: 'well' as const }
const several = (count: number) => Array.from({ length: count }, (_, index) => `node-${index + 1}`)

/** For each guard what it says no to. */
const REFUSED: Readonly<Record<string, readonly [Partial<GuardView>, GuardsSettings?]>> = {
  restrained: [{ restrained: 'it hears 4 of 10 nodes' }],
  'fresh-view': [{ stale: 'listing nodes: forbidden' }],
  pause: [
    {
      pauses: [
        {
          scope: { kind: 'pool', name: 'gpu' },
          by: 'the on-call',
          reason: 'racks are moved',
          until: '2026-03-01T16:00:00Z',
          untilMs: NOW_MS + 2 * HOUR_MS,
        },
      ],
      nodes: fleetOf(10, { [NODE]: { pool: 'gpu' } }),
    },
  ],
  approval: [
    {
      request: { ...viewOf().request, mode: 'approve', decisionId: 'decision-1' },
      plan: planOf({ risk: 'dangerous' }),
    },
  ],
  evidence: [{ faults: [] }],
  'one-owner': [{ nodes: fleetOf(10, { [NODE]: { takenBy: 'it is cordoned' } }) }],
  attempts: [{ ended: [2, 3, 4, 5, 6].map((hours) => endedOf({ atMs: NOW_MS - hours * HOUR_MS })) }],
  'cool-down': [{ ended: [endedOf({ atMs: NOW_MS - 4 * MINUTE_MS })] }],
  'stop-on-failure': [{ ended: [endedOf({ node: 'node-2', phase: 'revert-failed' })] }],
  'same-fault': [{ faults: several(4).map((node) => faultOf(node)) }],
  storm: [{ requests: several(7).map((node) => ({ node, planId: `fix-${node}`, atMs: NOW_MS - MINUTE_MS })) }],
  'zone-state': [{ nodes: fleetOf(5, { 'node-2': down, 'node-3': down, 'node-4': down }) }],
  'control-plane-one-at-a-time': [
    { nodes: fleetOf(3, { 'node-1': plane, 'node-2': { ...plane, takenBy: 'it is being drained' }, 'node-3': plane }) },
  ],
  'etcd-quorum': [{ nodes: fleetOf(3, { 'node-1': plane, 'node-2': { ...plane, etcd: 'unwell' }, 'node-3': plane }) }],
  'budget-cluster': [
    { nodes: fleetOf(20, { 'node-2': { takenBy: 'it is cordoned' } }), outstanding: [permitOf('node-3')] },
  ],
  'budget-zone': [{ nodes: fleetOf(10, { 'node-2': down }), outstanding: [permitOf('node-3')] }],
  'budget-pool': [{ nodes: fleetOf(10, { 'node-2': down }), outstanding: [permitOf('node-3')] }],
  'blocking-alerts': [{ blockingAlerts: ['IncidentOpen'] }, { blockingAlerts: ['IncidentOpen'] }],
  'blocking-pods': [{ nodes: fleetOf(10, { [NODE]: { blockingPods: ['db/backup-1'] } }) }],
}

function row(guard: (typeof GUARDS)[number]): string {
  const [view, settings] = REFUSED[guard.name] ?? [{}]
  const { allowed, why } = ask(guard, view, settings)
  expect(allowed, guard.name).toBe(false)
  return `| \`${guard.name}\` | ${guard.refuses} | ${guard.reachNone} | ${guard.limits(readGuards())} | ${why} |`
}

test('the table is that of the code', () => {
  const table = page.split('\n').filter((line) => /^\| `[a-z-]+` \|.*\|.*\|.*\|.*\|$/.test(line))
  expect(table).toEqual(GUARDS.map(row))
})

test('the settings that it shows are the defaults', () => {
  const example = /```yaml\n(guards:[\s\S]*?)```/.exec(page)?.[1] ?? ''
  expect(readGuards(guardsPart.parse(parse(example).guards))).toEqual(readGuards())
})
