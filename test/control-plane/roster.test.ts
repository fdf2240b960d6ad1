/** The roster and the Node objects of a real API server, with the rights that the manifests give. */
import { beforeAll, expect, it } from 'vitest'
import { connectKubernetes } from '../../aggregator/kubernetes/client.ts'
import { createEpochStore, ROSTER_OBJECT } from '../../aggregator/kubernetes/roster/epoch-record.ts'
import { WatchedNodes } from '../../aggregator/kubernetes/roster/watched-nodes.ts'
import type { EventKind } from '../../aggregator/model.ts'
import { NAMESPACE } from '../../bench/control-plane/manifests.ts'
import { missingForApiServer, missingForNodes } from '../../bench/control-plane/programs.ts'
import { eventsAfter, lastSeq } from '../../bench/history.ts'
import { until, untilWhole } from '../../bench/whole.ts'
import { epochStoreConformance, nodeSourceConformance } from '../kubernetes/roster-conformance.ts'
import { describeReal } from '../real-part.ts'
import { deleteNodes, enrolAnew } from './sizes.ts'
import { accountOutside, thePlane, theStage, WITHIN_MS } from './stage.ts'

const NODES = '/api/v1/nodes'
const RECORD = `/api/v1/namespaces/${NAMESPACE}/configmaps/${ROSTER_OBJECT}`
const LEAVES = 'node-6'
const TWO = ['node-4', 'node-5'] as const

describeReal('a real API server', missingForApiServer(), () => {
  beforeAll(async () => {
    await thePlane()
  }, WITHIN_MS)
  nodeSourceConformance('a real API server', async () => {
    const shared = await thePlane()
    const { plane } = shared
    const client = await connectKubernetes({ kubeconfig: await accountOutside(shared) })
    const made = new Set<string>()
    const remove = async (name: string) => {
      made.delete(name)
      await plane.admin.remove(`${NODES}/${name}`)
    }
    return {
      open: () => new WatchedNodes(client),
      put: async (name, { zone, addresses }) => {
        const metadata = { name, labels: { 'topology.kubernetes.io/zone': zone } }
        if (made.has(name)) await plane.admin.patch(`${NODES}/${name}`, { metadata })
        else await plane.admin.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata })
        made.add(name)
        const status = { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) }
        await plane.admin.ask('PATCH', `${NODES}/${name}/status`, { status }, 'application/merge-patch+json')
      },
      remove,
      close: async () => {
        for (const name of made) await remove(name)
        client.close()
      },
    }
  })

  it(
    'that refuses to list says so, and nothing is known; one that comes back is followed on',
    async () => {
      const shared = await thePlane()
      const { plane, cluster } = shared
      const agent = await connectKubernetes({ kubeconfig: await accountOutside(shared, 'starling-agent') })
      const refused = new WatchedNodes(agent)
      refused.start(() => {})
      await cluster.until('the refusal', () => refused.stale?.includes('forbidden'))
      refused.stop()
      expect(refused.nodes).toBeUndefined()

      const source = new WatchedNodes(await connectKubernetes({ kubeconfig: await accountOutside(shared) }))
      source.start(() => {})
      await cluster.until('the list', () => source.stale === undefined)
      const before = source.nodes
      await plane.apiServer.kill()
      await cluster.until('that it is gone is told', () => source.stale !== undefined)
      expect(source.nodes).toEqual(before)
      plane.apiServer.start()
      await plane.untilReady()
      await plane.admin.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'afterwards' } })
      await cluster.until('a new Node', () => source.nodes?.some(({ name }) => name === 'afterwards'))
      await plane.admin.remove(`${NODES}/afterwards`)
      source.stop()
    },
    WITHIN_MS,
  )

  // The aggregator of the stage writes to its own namespace.
  let namespaces = 0
  epochStoreConformance('a real API server', async () => {
    const { plane } = await thePlane()
    const namespace = `epochs-${++namespaces}`
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
    await plane.admin.create('/api/v1/namespaces', object)
    return createEpochStore(await connectKubernetes({ kubeconfig: await plane.kubeconfigOutside() }), namespace)
  })
})

describeReal('the roster of a running mesh', missingForNodes(), () => {
  it(
    'loses a member whose Node is deleted, and takes it in again when it has a Node and a new enrolment',
    async () => {
      const stage = await theStage()
      const { client } = stage.mesh
      const { admin } = stage.plane
      const names = async () => (await client.state()).members.map(({ node }) => node)
      const uncovered = async () => (await client.state()).roster?.uncovered ?? []
      const seq = await lastSeq(client)
      const happened = async (kind: EventKind) => {
        return (await eventsAfter(client, seq, [kind])).filter(({ node }) => node === LEAVES).length
      }
      const all = await names()
      const record = async () => (await admin.get<{ data: Readonly<Record<string, string>> }>(RECORD)).data

      await deleteNodes(stage, [LEAVES])
      expect(await names()).toEqual(all.filter((name) => name !== LEAVES))
      expect(await happened('member-removed')).toBe(1)
      await untilWhole(client)
      expect(Number((await record()).epoch)).toBe((await client.state()).mesh.epoch)

      stage.kubelet(LEAVES).start()
      await until(client, 'its new Node is not covered', async () => {
        return (await uncovered()).some(({ node, why }) => node === LEAVES && why.includes('must enrol anew'))
      })
      expect(await names()).not.toContain(LEAVES)

      await stage.mesh.processes(LEAVES).agent.stop()
      await enrolAnew(stage, LEAVES)
      stage.mesh.processes(LEAVES).agent.start()
      await until(client, 'the member is back', async () => (await names()).includes(LEAVES))
      await untilWhole(client)
      expect(await names()).toEqual(all)
      expect(await happened('member-added')).toBe(1)
      expect(await happened('verdict')).toBe(0)
      expect(await uncovered()).toEqual([])
      await stage.cluster.untilReady([LEAVES])
    },
    WITHIN_MS,
  )

  it(
    'keeps two members whose machines are replaced at once until a person lets their new ones in',
    async () => {
      const stage = await theStage()
      const { client } = stage.mesh
      const state = async () => await client.state()
      const members = (await state()).members.map(({ node }) => node)
      const seq = await lastSeq(client)
      for (const node of TWO) {
        await stage.kubelet(node).kill()
        await stage.plane.admin.remove(`${NODES}/${node}`)
      }
      const held = await until(client, 'that both wait', async () => {
        return (await state()).roster?.held.find(({ nodes }) => nodes.length === TWO.length)
      })
      expect(held).toMatchObject({ kind: 'removals', nodes: TWO })
      expect((await state()).members.map(({ node }) => node)).toEqual(members)

      for (const node of TWO) {
        stage.kubelet(node).start()
        await enrolAnew(stage, node)
      }
      await stage.cluster.untilReady(TWO)
      const { epoch } = (await state()).mesh
      const event = await client.releaseRoster({ reason: 'both were installed anew', via: 'cli' })
      expect(event.summary).toContain('node-4, node-5: both were installed anew')
      await until(client, 'a later epoch', async () => (await state()).mesh.epoch > epoch)
      for (const node of TWO) {
        const { agent } = stage.mesh.processes(node)
        await agent.stop()
        agent.start()
      }
      await untilWhole(client)
      const now = await state()
      expect(now.members.map(({ node }) => node)).toEqual(members)
      expect(now.roster).toEqual({ stalled: null, uncovered: [], held: [] })
      const changed = await eventsAfter(client, seq, ['member-changed'])
      expect(changed.map(({ node, causedBy }) => [node, causedBy])).toEqual(TWO.map((node) => [node, event.id]))
    },
    WITHIN_MS,
  )
})
