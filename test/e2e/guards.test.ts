/**
 * Each guard that needs no Kubernetes says no on real processes, for what it is there for: to fixes that agents ask for, of
 * parts that are broken on their nodes. One mesh, in which things go from bad to worse.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Alertmanager, needsAlertmanager } from '../alertmanager.ts'
import { describeReal, needsLinux } from '../real-part.ts'
import { GuardedMesh } from './guarded-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { policyOf, writeGauges } from './parts.ts'
import { OF_THE_MESH, Refusals } from './refusals.ts'
import { DEADLINE_MS } from './starling.ts'

const TEST_WITHIN_MS = 4 * DEADLINE_MS

const CONTROL = ['control-plane', 'etcd']
const NODES = [
  { zone: 'a', pool: 'main', roles: CONTROL },
  { zone: 'a', pool: 'main', roles: CONTROL },
  { zone: 'a', pool: 'main' },
  { zone: 'a', pool: 'main' },
  { zone: 'b', pool: 'spare', roles: ['etcd'] },
  { zone: 'b', pool: 'spare' },
  { zone: 'b' },
  { zone: 'b' },
]
const FORGER = 'node-8'

/** Nobody is in the way of another unless it is what is shown; all else is as shipped. */
const GUARDS = {
  budgets: { reachNone: { percent: 100, nodes: 100 } },
  attempts: 1,
  storm: { nodes: 6 },
  blockingAlerts: ['IncidentOpen'],
}
const SETTINGS = {
  policies: [
    policyOf('asked', 'approve', ['gate']),
    policyOf('one-of-many', 'auto', ['filter'], ['node-1']),
    policyOf('others', 'observe', ['filter']),
    policyOf('alone', 'auto', ['belt', 'lamp', 'gauge', 'pipe', 'pump']),
  ],
  guards: GUARDS,
}

const BY_US = { reason: 'it is looked at', via: 'cli' } as const

describeReal('a guard says no', needsLinux() ?? needsAlertmanager(), () => {
  let alertmanager: Alertmanager
  let mesh: GuardedMesh
  let refusals: Refusals
  beforeAll(async () => {
    alertmanager = await Alertmanager.start()
    mesh = await GuardedMesh.up({ nodes: NODES, settings: SETTINGS, alertmanager: alertmanager.url, forger: FORGER })
    refusals = new Refusals(mesh)
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh?.stop()
    await alertmanager.stop()
  }, TURN_WITHIN_MS)

  const approve = async (node: string, since = '') => {
    const { plan } = await mesh.untilPhase(node, 'gate', 'awaiting-approval', since)
    await mesh.client.decide({ planId: plan.id, action: 'approve', ...BY_US })
  }

  it(
    'for what a person said, and for what is the matter with several nodes',
    async () => {
      await mesh.client.pause({ kind: 'node', name: 'node-3' }, '2h', BY_US)
      mesh.break('node-3', 'belt')
      mesh.break('node-5', 'pipe')
      mesh.break('node-7', 'gate')
      mesh.forge('gate')
      await Promise.all([mesh.breakAndTell('node-2', 'filter'), mesh.breakAndTell('node-6', 'filter')])
      mesh.break('node-1', 'filter')
      await approve('node-7')

      const paused = await refusals.next('node-3', 'belt')
      expect(paused.guards).toEqual({
        pause: expect.stringMatching(/^paused for \S+: node node-3 by local-token until \S+ \(it is looked at\)$/),
      })
      const shown = await mesh.run('remediations', 'show', paused.planId)
      expect(shown.stdout).toContain(`  pause: ${paused.guards.pause}\n`)
      expect((await refusals.next(FORGER, 'gate')).guards).toEqual({
        approval: 'no approval of this very plan is known by the id decision-forged',
      })
      expect((await refusals.next('node-1', 'filter')).guards).toEqual({
        'same-fault': expect.stringMatching(
          /^3 of 8 nodes got FilterClogged within 10m: from 3 on it is systemic, and people are to look/,
        ),
      })
    },
    TEST_WITHIN_MS,
  )

  it(
    'for what earlier fixes came to, and for what the fault is known by',
    async () => {
      const mended = await mesh.untilPhase('node-7', 'gate', 'verified')
      mesh.break('node-7', 'gate')
      await mesh.untilPhase('node-5', 'pipe', 'escalated')
      mesh.break('node-6', 'belt')
      writeGauges(mesh.pluginsOf('node-1'), mesh.brokenOf('node-1'), '1.1.0')
      await approve('node-7', mended.at)
      expect((await refusals.next('node-7', 'gate')).guards).toEqual({
        attempts: expect.stringMatching(/^GateStuck of node-7 was acted on 1 of 1 times within 24 h: again in \S+$/),
        'cool-down': expect.stringMatching(/^mend-gate rests for 10m on node-7: \S+ are left$/),
      })
      expect((await refusals.next('node-6', 'belt')).guards).toEqual({
        'stop-on-failure': expect.stringMatching(
          /^fixes failed lately on 1 node of pool spare: mend-pipe on node-5 \S+; stopped for 24h, or until /,
        ),
      })
      await mesh.until('the newer gauges of node-1', async () =>
        (await mesh.client.state()).findings.some(
          ({ node, detector, version }) => node === 'node-1' && detector === 'gauges' && version === '1.1.0',
        ),
      )
      mesh.break('node-1', 'gauge')
      expect((await refusals.next('node-1', 'gauge')).guards).toEqual({
        evidence: 'node-1 does not report GaugeOff any more',
      })
    },
    TEST_WITHIN_MS,
  )

  it(
    'while an alert fires, until it is silenced, and in a storm, until it is none',
    async () => {
      await alertmanager.fire('IncidentOpen')
      mesh.break('node-1', 'lamp')
      expect((await refusals.next('node-1', 'lamp')).guards).toEqual({
        'blocking-alerts': '1 of 1 alert fires: IncidentOpen',
      })
      await alertmanager.silence('IncidentOpen')
      mesh.break('node-2', 'lamp')
      expect((await refusals.next('node-2', 'lamp')).guards).toEqual({
        storm: expect.stringMatching(
          /^7 nodes asked for something new within 10m: it is a storm since more than 6 did, for \S+ more$/,
        ),
      })
      await mesh.apply({ guards: { ...GUARDS, storm: { nodes: 7 } } })
    },
    TEST_WITHIN_MS,
  )

  it(
    'when nodes are down',
    async () => {
      await mesh.kill('node-2')
      await mesh.leave('node-3')
      await mesh.untilState('node-2', 'NodeDown', 'HostHung')
      mesh.break('node-1', 'pump')
      const would = 'would be disrupted with node-1, and 1 may be: node-2 (down), node-3 (down)'
      const down = {
        'control-plane-one-at-a-time': '1 of the 1 other node of the control plane is disrupted: node-2 (down)',
        'etcd-quorum': '0 of 3 members of etcd would be well, and 2 must be',
        'budget-cluster': `3 of 8 nodes of the cluster ${would}`,
        'budget-zone': `3 of 4 nodes of zone a ${would}`,
        'budget-pool': `3 of 4 nodes of pool main ${would}`,
      }
      expect((await refusals.next('node-1', 'pump')).guards).toEqual(down)
      await mesh.leave('node-4')
      mesh.mend('node-1', 'pump')
      await mesh.untilPhase('node-1', 'pump', 'withdrawn')
      mesh.break('node-1', 'pump')
      const { guards } = await refusals.next('node-1', 'pump')
      expect(Object.keys(guards)).toEqual(['zone-state', ...Object.keys(down)])
      expect(guards['zone-state']).toBe(
        '3 of 4 nodes of zone a are unhealthy, 55 % or more, in a cluster of only 8 nodes',
      )
      // With the first one they are a quarter of all.
      await Promise.all([mesh.kill('node-5'), mesh.kill('node-6')])
      await mesh.until('a freeze', async () => (await mesh.client.state()).mesh.frozen)
      mesh.break('node-7', 'belt')
      expect((await refusals.next('node-7', 'belt')).guards).toEqual({
        restrained: expect.stringMatching(
          /^the leader may decide nothing now: frozen: \d of 8 nodes (are in question|came into question within 2 s)$/,
        ),
      })
    },
    TEST_WITHIN_MS,
  )

  it('for each of those that need no Kubernetes, and counts it', async () => {
    expect(refusals.seen).toEqual(OF_THE_MESH)
    const counted = await refusals.counted()
    expect(OF_THE_MESH.filter((guard) => !((counted[guard] ?? 0) > 0))).toEqual([])
  })
})
