/** What holds for the guards together, whatever the fleet, the settings, and the order in which things come. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Reach } from '../../../remediators/contract.ts'
import { evaluateGuards, retryAfterMs } from '../../../remediators/guards/index.ts'
import { type GuardSettings, readGuards, type Share } from '../../../remediators/guards/settings.ts'
import type { GuardView, NodeFacts, OutstandingPermit } from '../../../remediators/guards/view.ts'
import { decodeRefusal, encodeNote } from '../../../remediators/notes.ts'
import { disruption, fleet, reach, settings, view } from './arbitraries.ts'
import { faultOf, MINUTE_MS, NOW_MS, planOf, viewOf } from './views.ts'

const NAMES = [
  'restrained',
  'fresh-view',
  'pause',
  'approval',
  'evidence',
  'one-owner',
  'attempts',
  'cool-down',
  'stop-on-failure',
  'same-fault',
  'storm',
  'zone-state',
  'control-plane-one-at-a-time',
  'etcd-quorum',
  'budget-cluster',
  'budget-zone',
  'budget-pool',
  'blocking-alerts',
  'blocking-pods',
]

test('every guard is asked every time, in one order, and what it says fits into a refusal', () => {
  fc.assert(
    fc.property(view, settings, (before, rules) => {
      const verdicts = evaluateGuards(before, rules)
      expect(verdicts.map(({ guard }) => guard)).toEqual(NAMES)
      const no = verdicts.filter(({ allowed }) => !allowed)
      expect(no.every(({ restMs }) => restMs !== undefined && restMs > 0)).toBe(true)
      if (no.length === 0) return
      const { node, planId, nonce } = before.request
      const refusal = { node, planId, nonce, guards: no, retryAfterMs: retryAfterMs(verdicts) }
      expect(decodeRefusal(encodeNote(refusal))).toEqual(refusal)
    }),
    { numRuns: 300 },
  )
})

test('names as long as they may be, reasons of any length and pauses without end fit as well', () => {
  const long = 'x'.repeat(253)
  const nodes = new Map([long, `${long}2`, `${long}3`, `${long}4`, `${long}5`].map((name) => [name, taken]))
  const pauses = [{ scope: { kind: 'all' }, by: 'ada', reason: 'moving', until: '', untilMs: 1e12 } as const]
  const before = viewOf({ nodes, plan: planOf({ node: long }), restrained: 'y'.repeat(5_000), pauses })
  const verdicts = evaluateGuards(before, readGuards())
  expect(Math.max(...verdicts.map(({ why }) => why.length))).toBe(1_000)
  expect(Math.max(...verdicts.map(({ restMs }) => restMs ?? 0))).toBe(86_400_000)
})

const taken: NodeFacts = {
  isMember: true,
  zone: 'a',
  pool: 'main',
  roles: ['control-plane'],
  isDown: false,
  takenBy: 'z'.repeat(5_000),
  blockingPods: [],
  etcd: 'well',
}

test('one more thing that is wrong never makes a guard say yes that said no', () => {
  fc.assert(
    fc.property(view, settings, fc.array(disruption, { minLength: 1, maxLength: 3 }), (before, rules, disruptions) => {
      const after = disruptions.reduce((now, disrupt) => disrupt(now), before)
      const refusedBefore = evaluateGuards(before, rules).filter(({ allowed }) => !allowed)
      const allowedAfter = evaluateGuards(after, rules).filter(({ allowed }) => allowed)
      const turned = allowedAfter.filter(({ guard }) => refusedBefore.some((verdict) => verdict.guard === guard))
      expect(turned).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})

const changes = [{ isDown: true }, { isDown: false }, { takenBy: 'cordoned' }, { takenBy: undefined }]
const arrival = fc.record({
  /** Counted round the fleet. */
  node: fc.nat(),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.record({ asks: reach }) },
    { weight: 2, arbitrary: fc.record({ becomes: fc.constantFrom<Partial<NodeFacts>[]>(...changes) }) },
    { weight: 1, arbitrary: fc.record({ ends: fc.nat(20) }) },
  ),
})

const healthy: Partial<NodeFacts> = { isDown: false, takenBy: undefined, blockingPods: [] }

test('granted one after the other, permits never exceed a budget, nor take the control plane or etcd apart', () => {
  let granted = 0
  fc.assert(
    fc.property(fleet, settings, fc.array(arrival, { maxLength: 60, size: 'max' }), (start, rules, arrivals) => {
      let nodes = new Map([...start].map(([name, facts]) => [name, { ...facts, ...healthy } as NodeFacts]))
      let outstanding: readonly OutstandingPermit[] = []
      arrivals.forEach(({ node: count, what }, index) => {
        const [node, facts] = [...nodes][count % nodes.size] as [string, NodeFacts]
        if ('ends' in what) outstanding = outstanding.filter((_, at) => at !== what.ends)
        if ('becomes' in what) nodes = new Map(nodes).set(node, { ...facts, ...what.becomes })
        if (!('asks' in what)) return
        const before = asked(node, what.asks, index, nodes, outstanding)
        if (evaluateGuards(before, rules).some(({ allowed }) => !allowed)) return
        granted += 1
        const { id, remediator, reason, reach: granting } = before.plan
        const permit = { permitId: id, planId: id, remediator, reason, node, reach: granting }
        outstanding = [...outstanding, permit]
        expect(broken(nodes, outstanding, permit, rules)).toEqual([])
      })
    }),
    { numRuns: 400 },
  )
  expect(granted).toBeGreaterThan(400)
})

/** A fault of its own kind each time, so that it is the budgets that decide. */
function asked(
  node: string,
  how: Reach,
  index: number,
  nodes: ReadonlyMap<string, NodeFacts>,
  outstanding: readonly OutstandingPermit[],
): GuardView {
  const plan = planOf({ id: `fix-${index}`, node, reach: how, reason: `Fault${index}` })
  const nowMs = NOW_MS + index * MINUTE_MS
  return viewOf({ plan, nowMs, nodes, outstanding, faults: [faultOf(node, { reason: plan.reason })], requests: [] })
}

/** The rules that a grant has broken, told in the plainest way that there is. */
function broken(
  nodes: ReadonlyMap<string, NodeFacts>,
  outstanding: readonly OutstandingPermit[],
  permit: OutstandingPermit,
  { budgets }: GuardSettings,
): readonly string[] {
  const isOurs = (name: string, quiet: boolean) =>
    outstanding.some((one) => one.node === name && (one.reach === 'none') === quiet)
  const isGone = (name: string, facts: NodeFacts) => facts.isDown || facts.takenBy !== undefined || isOurs(name, false)
  const own = nodes.get(permit.node) as NodeFacts
  const groups: readonly [string, Share, (facts: NodeFacts) => boolean][] = [
    ['cluster', budgets.cluster, () => true],
    ['zone', budgets.zone, ({ zone }) => zone === own.zone],
    ['pool', budgets.pool, ({ pool }) => pool === own.pool && pool !== undefined],
  ]
  const isQuiet = permit.reach === 'none'
  const over = groups.filter(([, share, has]) => {
    const group = [...nodes].filter(([, facts]) => has(facts))
    const count = group.filter(([name, facts]) => (isQuiet ? isOurs(name, true) : isGone(name, facts))).length
    const { percent, nodes: most } = isQuiet ? budgets.reachNone : share
    return count > 1 && (count > most || count * 100 > percent * group.length)
  })
  const planes = [...nodes].filter(([, { roles }]) => roles.includes('control-plane') || roles.includes('master'))
  const etcds = [...nodes].filter(([, { etcd }]) => etcd !== undefined)
  const well = etcds.filter(([name, facts]) => facts.etcd === 'well' && !isGone(name, facts)).length
  const isPlane = planes.some(([name]) => name === permit.node)
  return [
    ...over.map(([name]) => `the budget of the ${name}`),
    ...(outstanding.filter(({ node }) => node === permit.node).length > 1 ? ['one plan for each node'] : []),
    ...(!isQuiet && isPlane && planes.filter(([name, facts]) => isGone(name, facts)).length > 1
      ? ['one of the control plane']
      : []),
    ...(!isQuiet && own.etcd !== undefined && etcds.length > 1 && well * 2 <= etcds.length ? ['the quorum'] : []),
  ]
}
