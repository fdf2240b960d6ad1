/** Fleets, views and what may happen to them, for the property tests of guards. */
import fc from 'fast-check'
import type { Reach } from '../../../remediators/contract.ts'
import { type GuardSettings, guardsPart, readGuards } from '../../../remediators/guards/settings.ts'
import type { EndedFix, GuardView, NodeFacts } from '../../../remediators/guards/view.ts'
import { endedOf, faultOf, HOUR_MS, MINUTE_MS, NOW_MS, permitOf, planOf, viewOf } from './views.ts'

const REASONS = ['KubeletDown', 'RuntimeDown'] as const
export const reach = fc.constantFrom<Reach[]>('none', 'process', 'host', 'machine')

const facts: fc.Arbitrary<NodeFacts> = fc.record({
  isMember: often(true, fc.constant(false)),
  zone: fc.constantFrom('a', 'b'),
  pool: fc.constantFrom('main', 'gpu', undefined),
  roles: fc.constantFrom(['worker'], ['worker'], ['control-plane'], ['master', 'etcd'], []),
  isDown: often(false, fc.constant(true)),
  takenBy: often(undefined, fc.constant('cordoned')),
  blockingPods: often([], fc.constant(['db/backup'])),
  etcd: fc.constantFrom(undefined, undefined, undefined, 'well', 'well', 'unwell'),
})

/** node-1 and so on. */
export const fleet: fc.Arbitrary<ReadonlyMap<string, NodeFacts>> = fc
  .array(facts, { minLength: 1, maxLength: 30, size: 'max' })
  .map((all) => new Map(all.map((one, index) => [`node-${index + 1}`, one])))

const nodeName = fc.nat(29).map((index) => `node-${index + 1}`)

export const settings: fc.Arbitrary<GuardSettings> = fc
  .record({
    budgets: fc.record({ cluster: share(), zone: share(), pool: share(), reachNone: share() }),
    sameFault: share(),
    storm: share(),
    attempts: fc.integer({ min: 1, max: 4 }),
    stopOnFailure: fc.record({ nodes: fc.integer({ min: 1, max: 3 }) }),
    zones: fc.record({ smallCluster: fc.constantFrom(0, 10, 50) }),
    blockingAlerts: fc.constantFrom([], ['IncidentOpen']),
  })
  .map((said) => readGuards(guardsPart.parse(said)))

const ended: fc.Arbitrary<EndedFix> = fc
  .record({
    node: nodeName,
    pool: fc.constantFrom('main', 'gpu', undefined),
    reason: fc.constantFrom(...REASONS),
    phase: fc.constantFrom('verified', 'reverted', 'revert-failed', 'withdrawn'),
    atMs: ago(30 * HOUR_MS),
  })
  .map(endedOf)

const fault = fc
  .record({ node: nodeName, reason: fc.constantFrom(...REASONS), sinceMs: ago(HOUR_MS) })
  .map(({ node, ...parts }) => faultOf(node, parts))

const request = fc
  .record({ node: nodeName, plan: fc.nat(), atMs: ago(HOUR_MS) })
  .map(({ node, plan, atMs }) => ({ node, planId: `fix-of-${node}-${plan}`, atMs }))

const permit = fc.tuple(nodeName, reach).map(([node, how]) => permitOf(node, { reach: how }))

const pause = fc.constantFrom({ kind: 'all' } as const, { kind: 'pool', name: 'main' } as const).map((scope) => ({
  scope,
  by: 'ada',
  reason: 'moving racks',
  until: '2026-01-05T05:00:00Z',
  untilMs: NOW_MS + HOUR_MS,
}))

const release = fc
  .record({
    scope: fc.constantFrom(
      { kind: 'all' } as const,
      { kind: 'pool', name: 'main' } as const,
      { kind: 'reason', name: 'KubeletDown' } as const,
    ),
    atMs: ago(HOUR_MS),
  })
  .map((one) => ({ ...one, by: 'ada' }))

/** Of a request of node-1, with all that may be known beside it. */
export const view: fc.Arbitrary<GuardView> = fc
  .record({
    nodes: fleet,
    reach,
    risk: fc.constantFrom('low' as const, 'dangerous' as const),
    outstanding: fc.array(permit, { maxLength: 4 }),
    ended: fc.array(ended, { maxLength: 6 }),
    faults: fc.array(fault, { maxLength: 6 }),
    requests: fc.array(request, { maxLength: 12 }),
    pauses: often([], fc.array(pause, { maxLength: 1 })),
    releases: fc.array(release, { maxLength: 1 }),
    blockingAlerts: fc.constantFrom(undefined, [], ['IncidentOpen']),
    stale: often(undefined, fc.constant('no answer in 2s')),
    restrained: often(undefined, fc.constant('a freeze')),
  })
  .map(({ reach: how, risk, ...parts }) => viewOf({ plan: planOf({ reach: how, risk }), ...parts }))

/** One more thing that is wrong. */
export const disruption: fc.Arbitrary<(view: GuardView) => GuardView> = fc.oneof(
  onNode({ isDown: true }),
  onNode({ takenBy: 'being drained' }),
  onNode({ blockingPods: ['db/backup', 'db/dump'] }),
  nodeName.map((name) => (before: GuardView) => withNode(before, name, (one) => ({ ...one, ...unwell(one) }))),
  permit.map((one) => (before: GuardView) => ({ ...before, outstanding: [...before.outstanding, one] })),
  ended.map((one) => (before: GuardView) => ({ ...before, ended: [...before.ended, one] })),
  fault
    .filter(({ node }) => node !== planOf().node)
    .map((one) => (before: GuardView) => ({ ...before, faults: [...before.faults, one] })),
  request.map((one) => (before: GuardView) => ({ ...before, requests: [...before.requests, one] })),
  pause.map((one) => (before: GuardView) => ({ ...before, pauses: [...before.pauses, one] })),
  fc.constant((before: GuardView) => ({
    ...before,
    blockingAlerts: before.blockingAlerts && [...before.blockingAlerts, 'Another'],
  })),
  fc.constant((before: GuardView) => ({ ...before, stale: 'forbidden' })),
  fc.constant((before: GuardView) => ({ ...before, restrained: 'no quorum' })),
)

function onNode(parts: Partial<NodeFacts>): fc.Arbitrary<(view: GuardView) => GuardView> {
  return nodeName.map((name) => (before) => withNode(before, name, (one) => ({ ...one, ...parts })))
}

function withNode(before: GuardView, name: string, change: (facts: NodeFacts) => NodeFacts): GuardView {
  const one = before.nodes.get(name)
  return one === undefined ? before : { ...before, nodes: new Map(before.nodes).set(name, change(one)) }
}

function unwell({ etcd }: NodeFacts): Partial<NodeFacts> {
  return etcd === undefined ? {} : { etcd: 'unwell' }
}

function share(): fc.Arbitrary<{ percent: number; nodes: number }> {
  return fc.record({ percent: fc.integer({ min: 1, max: 100 }), nodes: fc.integer({ min: 1, max: 12 }) })
}

function ago(mostMs: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: mostMs / MINUTE_MS }).map((minutes) => NOW_MS - minutes * MINUTE_MS)
}

/** Four times in five the usual. */
function often<T, U>(usual: T, seldom: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: seldom })
}
