/**
 * The record of permits, and the view of the cluster, on a real API server: held to what those in memory are held to. And
 * guards about what others do there, on a whole mesh whose agents ask for fixes of parts that are broken on their nodes.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectKubernetes } from '../../aggregator/kubernetes/client.ts'
import { createBookObject } from '../../aggregator/kubernetes/permits/book-object.ts'
import { createClusterNow } from '../../aggregator/kubernetes/permits/cluster-now.ts'
import { podOn } from '../../bench/control-plane/objects.ts'
import { missingForApiServer, missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { nodeMachine } from '../../bench/namespaces/mesh.ts'
import { pluginsFolderOf } from '../../cli/local/layout.ts'
import { bookConformance } from '../aggregator/permits/book-conformance.ts'
import { clusterNowConformance } from '../aggregator/permits/cluster-now-conformance.ts'
import { breakPart, type Part, policyOf, prepareNode, writePlugins } from '../e2e/parts.ts'
import { OF_KUBERNETES, Refusals } from '../e2e/refusals.ts'
import { describeReal } from '../real-part.ts'
import { NODES as AGENTS, thePlane, theStage, WITHIN_MS } from './stage.ts'

const NODES = '/api/v1/nodes'
const PODS = '/api/v1/namespaces/default/pods'

describeReal('a real API server', missingForApiServer(), () => {
  beforeAll(async () => {
    await thePlane()
  }, WITHIN_MS)

  // The aggregator of the stage writes to its own namespace.
  let namespaces = 0
  bookConformance('a real API server', async () => {
    const { plane } = await thePlane()
    const namespace = `permits-${++namespaces}`
    await plane.admin.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    })
    return createBookObject(await connectKubernetes({ kubeconfig: plane.kubeconfigOutside() }), namespace)
  })

  clusterNowConformance('a real API server', async () => {
    const { plane } = await thePlane()
    const { admin } = plane
    // Nobody else writes to what is looked at here.
    plane.controllerManager.pause()
    // Where there is a controller manager, it has made that one already.
    await admin.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    const made = new Set<string>()
    const client = await connectKubernetes({ kubeconfig: plane.kubeconfigOutside() })
    return {
      cluster: createClusterNow(client),
      putNode: async (name, isReady, { annotations, ...spec } = {}) => {
        const path = `${NODES}/${name}`
        if (!made.has(path)) await admin.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name } })
        made.add(path)
        // A node that is made starts tainted as not ready; that is no concern of anybody's here.
        await admin.patch(path, { metadata: { annotations }, spec: { taints: null, ...spec } })
        const condition = { type: 'Ready', status: isReady ? 'True' : 'False' }
        await admin.patch(`${path}/status`, { status: { conditions: [condition] } })
      },
      makePod: async (name, node, labels, phase) => {
        await admin.create(PODS, podOn(node, name, labels))
        made.add(`${PODS}/${name}`)
        await admin.patch(`${PODS}/${name}/status`, { status: { phase } })
      },
      close: async () => {
        client.close()
        for (const path of made) await admin.ask('DELETE', path, { gracePeriodSeconds: 0 })
        plane.controllerManager.resume()
      },
    }
  })
})

const OBSERVE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/starling-observe'

interface Role {
  readonly rules: readonly { readonly resources: readonly string[] }[]
}

describeReal('guards on a real control plane', missingForNodes(), () => {
  let stage: ControlPlaneStage
  let refusals: Refusals
  let role: Role
  const brokenOf = (address: string) => join(stage.network.dir, 'broken', address)
  /** They look for remediators when they start, and only then. */
  const restartAgents = async () => {
    const agents = [...stage.kubelets.keys()].map((node) => stage.mesh.processes(node).agent)
    await Promise.all(agents.map((agent) => agent.stop()))
    for (const agent of agents) agent.start()
    await stage.mesh.untilWhole()
  }
  const breakOn = (number: number, part: Part) => breakPart(brokenOf(nodeMachine(number).address), part)

  beforeAll(async () => {
    stage = await theStage()
    const [{ client, gate }] = stage.mesh.aggregators
    refusals = new Refusals({
      client,
      metrics: async () => (await fetch(`http://127.0.0.1:${gate.port}/metrics`)).text(),
      until: (what, look) => stage.cluster.until(what, look),
    })
    role = await stage.plane.admin.get<Role>(OBSERVE)
    for (let number = 1; number <= AGENTS; number++) prepareNode(brokenOf(nodeMachine(number).address))
    // The agents share this folder.
    writePlugins(pluginsFolderOf(stage.network.dir), brokenOf('ADDRESS'))
    await restartAgents()
    await stage.cluster.until('the plugins', async () => {
      const { findings } = await client.state()
      return findings.filter(({ detector, status }) => detector === 'parts' && status === 'ok').length === AGENTS
    })
    await putInForce(stage, {
      policies: [policyOf('alone', 'auto', ['pump', 'belt'])],
      guards: { blockingPods: ['app=backup'], sameFault: { nodes: AGENTS } },
    })
  }, WITHIN_MS)
  afterAll(async () => {
    const { admin } = stage.plane
    await admin.patch(OBSERVE, { rules: role.rules })
    await admin.patch(`${NODES}/node-1`, {
      metadata: { annotations: { 'weave.works/kured-reboot-in-progress': null } },
      spec: { unschedulable: false },
    })
    await admin.patch(`${NODES}/node-4`, { metadata: { annotations: { 'starling.mesh/skip': null } } })
    await admin.ask('DELETE', `${PODS}/backup`, { gracePeriodSeconds: 0 })
    await putInForce(stage, { policies: [], guards: {} })
    rmSync(brokenOf(''), { recursive: true })
    rmSync(pluginsFolderOf(stage.network.dir), { recursive: true })
    await stage.cluster.untilReady([...stage.kubelets.keys()])
  }, WITHIN_MS)

  it(
    'say no for what others have in hand, for pods that are to finish, and while the cluster cannot be read',
    async () => {
      const { admin } = stage.plane
      await admin.patch(`${NODES}/node-1`, {
        metadata: { annotations: { 'weave.works/kured-reboot-in-progress': '2026-01-31T12:00:00Z' } },
        spec: { unschedulable: true },
      })
      await admin.patch(`${NODES}/node-4`, { metadata: { annotations: { 'starling.mesh/skip': 'true' } } })
      await admin.create(PODS, podOn('node-2', 'backup', { app: 'backup' }))
      for (const number of [1, 2, 4]) breakOn(number, 'pump')
      const taken = 'kured is rebooting it, it is cordoned'
      expect((await refusals.next('node-1', 'pump')).guards).toEqual({
        'one-owner': `somebody else has node-1 in hand: ${taken}`,
      })
      expect((await refusals.next('node-2', 'pump')).guards).toEqual({
        'budget-cluster': `2 of 6 nodes of the cluster would be disrupted with node-2, and 1 may be: node-1 (${taken})`,
        'blocking-pods': '1 blocking pod on node-2: default/backup',
      })
      expect((await refusals.next('node-4', 'pump')).guards).toEqual({
        pause: expect.stringContaining('node node-4 by annotation starling.mesh/skip until it is taken off'),
        'budget-cluster': `2 of 6 nodes of the cluster would be disrupted with node-4, and 1 may be: node-1 (${taken})`,
        'budget-zone': `2 of 2 nodes of zone zone-a would be disrupted with node-4, and 1 may be: node-1 (${taken})`,
      })
      // Somebody takes away a right that guards need.
      const rules = role.rules.filter(({ resources }) => !resources.includes('pods'))
      await admin.patch(OBSERVE, { rules })
      breakOn(3, 'belt')
      expect((await refusals.next('node-3', 'belt')).guards).toEqual({
        'fresh-view': expect.stringMatching(/^the cluster could not be read as of now: .*forbidden/),
      })
      expect(OF_KUBERNETES.filter((guard) => !refusals.seen.includes(guard))).toEqual([])
      const counted = await refusals.counted()
      expect(OF_KUBERNETES.filter((guard) => !((counted[guard] ?? 0) > 0))).toEqual([])
    },
    WITHIN_MS,
  )
})
