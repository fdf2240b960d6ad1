/** What Prometheus is told of the mesh's own troubles, by the aggregator and by an agent. */
import { expect, it } from 'vitest'
import { createAggregatorMetrics } from '../../aggregator/metrics.ts'
import { createAgentMetrics } from '../../node-agent/metrics.ts'
import { createSamplePort } from './sample-port.ts'

it('tells of disputes, brakes and blindness, naming no node', async () => {
  const sample = createSamplePort()
  const { registry } = createAggregatorMetrics(() => sample.snapshot())
  const wanted = /^starling_(mesh_disputes|brake_active|mesh_blind)/
  const figures = async () => (await registry.metrics()).split('\n').filter((line) => wanted.test(line))
  expect(await figures()).toEqual([
    'starling_mesh_disputes{kind="LinkFault"} 0',
    'starling_mesh_disputes{kind="ObserverFault"} 0',
    'starling_brake_active{brake="frozen"} 0',
    'starling_brake_active{brake="no-quorum"} 0',
    'starling_mesh_blind 0',
    'starling_mesh_blind_subjects 0',
  ])
  sample.changeMember('node-1', { flags: ['LinkFault'] })
  sample.changeMember('node-2', { flags: ['LinkFault', 'ObserverFault'] })
  const blind = { why: '2 of 5 members do not vote', subjects: ['node-3', 'node-5'] }
  sample.change({ mesh: { ...sample.snapshot().mesh, frozen: 'too many', blind, hasQuorum: false } })
  expect(await figures()).toEqual([
    'starling_mesh_disputes{kind="LinkFault"} 2',
    'starling_mesh_disputes{kind="ObserverFault"} 1',
    'starling_brake_active{brake="frozen"} 1',
    'starling_brake_active{brake="no-quorum"} 1',
    'starling_mesh_blind 1',
    'starling_mesh_blind_subjects 2',
  ])
})

it('tells whether an agent is fit to judge others, once its mesh runs', async () => {
  let mesh: { peerClocks: []; degraded: string | undefined } | undefined
  const { registry } = createAgentMetrics(() => mesh, { bytes: 4_096, lost: 3 })
  const health = async () => /^starling_mesh_local_health (.*)$/m.exec(await registry.metrics())?.[1]
  expect(await health()).toBe('0')
  mesh = { peerClocks: [], degraded: 'paused' }
  expect(await health()).toBe('1')
  mesh = { peerClocks: [], degraded: undefined }
  expect(await health()).toBe('0')
})

it('says who leads, and of the mesh nothing while it stands by', async () => {
  const sample = createSamplePort()
  let leads = true
  const { registry } = createAggregatorMetrics(() => (leads ? sample.snapshot() : undefined))
  const figures = async () =>
    (await registry.metrics()).split('\n').filter((line) => /^starling_(leader|mesh_members|brake)/.test(line))
  expect(await figures()).toContain('starling_leader 1')
  leads = false
  expect(await figures()).toEqual(['starling_leader 0'])
})

it('tells of guards, outcomes and budgets, and of no more remediators than could ship', async () => {
  const { registry, refusal, outcome, budgets } = createAggregatorMetrics(() => undefined)
  refusal('pause')
  for (let count = 0; count < 100; count++) outcome(`fix-${count}`, 'verified')
  budgets({ cluster: 0.5, zone: 1, pool: 0 })
  const text = await registry.metrics()
  expect(text).toContain('starling_guard_refusals_total{guard="pause"} 1')
  expect(text).toContain('starling_remediations_total{remediator="fix-0",outcome="verified"} 1')
  expect(text).toContain('starling_remediations_total{remediator="other",outcome="verified"} 36')
  expect(text).toContain('starling_budget_used{scope="zone"} 1')
})
