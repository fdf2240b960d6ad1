/** What every Cluster must do, whatever is behind it: the one in memory and a real API server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { Cluster } from '../../aggregator/kubernetes/cluster.ts'
import { conditionOf, type NodeObject, type PodObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { BEATEN_AT, READY } from './objects.ts'

export interface ClusterUnderTest {
  readonly cluster: Cluster
  /** A node whose kubelet said that it is Ready, at BEATEN_AT. */
  makeNode(name: string): Promise<void>
  /** A pod of the namespace `default` that runs on the node and is Ready. */
  makePod(name: string, node: string): Promise<void>
  deletePod(name: string): Promise<void>
  /** The node's kubelet renews its Lease. */
  renew(node: string): Promise<void>
  close(): Promise<void>
}

export function clusterConformance(name: string, create: () => Promise<ClusterUnderTest>): void {
  describe(`${name} keeps the contract of a Cluster`, () => {
    let under: ClusterUnderTest
    let cluster: Cluster
    let count = 0
    beforeAll(async () => {
      under = await create()
      cluster = under.cluster
    })
    afterAll(async () => await under.close())

    const newNode = async (): Promise<NodeObject> => {
      const node = `conformance-${++count}`
      await under.makeNode(node)
      return await nodeNamed(node)
    }
    const nodeNamed = async (node: string): Promise<NodeObject> => {
      const found = await cluster.node(node)
      if (found === undefined) throw new Error(`no node ${node}`)
      return found
    }
    const newPod = async (node: string): Promise<PodObject> => {
      const pod = `pod-${++count}`
      await under.makePod(pod, node)
      const found = (await cluster.podsOf(node)).find(({ metadata }) => metadata.name === pod)
      if (found === undefined) throw new Error(`no pod ${pod}`)
      return found
    }
    const kindOf = async (request: Promise<unknown>): Promise<string> => {
      const error = await request.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      return error instanceof ApiError ? error.kind : String(error)
    }
    const down = { type: 'Ready', status: 'False', reason: 'Ours', message: 'down' }

    test('tells a missing node and a missing Lease from one that is there', async () => {
      const { metadata } = await newNode()
      expect(await cluster.node('nobody')).toBeUndefined()
      expect(await cluster.heartbeatOf(metadata.name)).toBeUndefined()
      expect((await cluster.nodes()).map((node) => node.metadata.name)).toContain(metadata.name)
    })

    test('an event about a node is taken', async () => {
      const { metadata } = await newNode()
      const event = { type: 'Warning', reason: 'NodeDown', message: '8 of 10 observers agree', at: BEATEN_AT } as const
      expect(await cluster.tell(metadata.name, event)).toBeUndefined()
    })

    test("a Lease's version grows with each renewal", async () => {
      const { metadata } = await newNode()
      await under.renew(metadata.name)
      const first = await cluster.heartbeatOf(metadata.name)
      await under.renew(metadata.name)
      const second = await cluster.heartbeatOf(metadata.name)
      const versions = [first, second].map((lease) => BigInt(lease?.metadata.resourceVersion ?? '0'))
      expect(Number((versions[1] ?? 0n) - (versions[0] ?? 0n))).toBeGreaterThan(0)
      expect(first?.spec?.leaseDurationSeconds).toBe(40)
    })

    test("a node's conditions are merged by type, and what is not named stays", async () => {
      const node = await newNode()
      const { resourceVersion, name: nodeName } = node.metadata
      const own = { type: 'Own', status: 'False', reason: 'Why', message: 'because' }
      const conditions = [down, own]
      const written = await cluster.patchNodeStatus(nodeName, { metadata: { resourceVersion }, status: { conditions } })
      expect(conditionOf(written, 'Ready')).toMatchObject({ ...down, lastHeartbeatTime: BEATEN_AT })
      expect(conditionOf(written, 'Own')).toMatchObject(own)
      expect(conditionOf(written, 'MemoryPressure')).toEqual(conditionOf(node, 'MemoryPressure'))
      expect(await nodeNamed(nodeName)).toEqual(written)
      const undone = await cluster.patchNodeStatus(nodeName, {
        metadata: { resourceVersion: written.metadata.resourceVersion },
        status: {
          conditions: [
            { type: 'Ready', status: 'True', reason: null, message: null },
            { type: 'Own', $patch: 'delete' },
          ],
        },
      })
      expect(conditionOf(undone, 'Ready')).toMatchObject({ status: 'True', lastHeartbeatTime: BEATEN_AT })
      expect(conditionOf(undone, 'Ready')?.message ?? '').toBe('')
      expect(conditionOf(undone, 'Own')).toBeUndefined()
    })

    test('a version that is no longer the latest is a conflict, and nothing is written', async () => {
      const { metadata } = await newNode()
      const { name: nodeName, resourceVersion } = metadata
      const patch = { metadata: { resourceVersion }, status: { conditions: [down] } }
      await cluster.patchNodeStatus(nodeName, patch)
      const latest = await nodeNamed(nodeName)
      const late = { ...patch, status: { conditions: [{ ...down, status: 'True' }] } }
      expect(await kindOf(cluster.patchNodeStatus(nodeName, late))).toBe('conflict')
      expect(await kindOf(cluster.setTaints(nodeName, resourceVersion, []))).toBe('conflict')
      expect(await nodeNamed(nodeName)).toEqual(latest)
      expect(await kindOf(cluster.patchNodeStatus('nobody', patch))).toBe('not-found')
    })

    test('a write that changes nothing makes no new version', async () => {
      const { metadata } = await newNode()
      const { name: nodeName, resourceVersion } = metadata
      const conditions = [down]
      const once = await cluster.patchNodeStatus(nodeName, { metadata: { resourceVersion }, status: { conditions } })
      const again = { metadata: { resourceVersion: once.metadata.resourceVersion }, status: { conditions } }
      expect(await cluster.patchNodeStatus(nodeName, again)).toEqual(once)
    })

    test('taints are set as a whole, and do not touch the status', async () => {
      const node = await newNode()
      const taint = { key: 'starling.mesh/test', value: 'x', effect: 'NoSchedule' }
      const others = node.spec?.taints ?? []
      const { name: nodeName } = node.metadata
      const tainted = await cluster.setTaints(nodeName, node.metadata.resourceVersion, [...others, taint])
      expect(tainted.spec?.taints).toEqual([...others, taint])
      expect(tainted.status).toEqual(node.status)
      const bare = await cluster.setTaints(nodeName, tainted.metadata.resourceVersion, [])
      expect(bare.spec?.taints ?? []).toEqual([])
    })

    test('a condition of a type that a pod has not had is added to it, and changed, and nothing else', async () => {
      const { metadata } = await newNode()
      const pod = await newPod(metadata.name)
      const gate = { type: 'starling.mesh/node-healthy', status: 'True', reason: 'NodeHealthy', message: 'well' }
      const { resourceVersion } = pod.metadata
      const open = { metadata: { resourceVersion }, status: { conditions: [gate] } }
      const opened = await cluster.patchPodStatus(pod, open)
      expect(conditionOf(opened, gate.type)).toMatchObject(gate)
      const closed = { ...gate, status: 'False', reason: 'GpuLost', message: 'its node is sick' }
      const close = { metadata: { resourceVersion: opened.metadata.resourceVersion }, status: { conditions: [closed] } }
      const shut = await cluster.patchPodStatus(pod, close)
      expect(conditionOf(shut, gate.type)).toMatchObject(closed)
      expect(conditionOf(shut, 'Ready')).toEqual(conditionOf(pod, 'Ready'))
    })

    test("a node's pods are its own; their Ready is written, and nothing else of them", async () => {
      const [here, elsewhere] = [await newNode(), await newNode()]
      const pod = await newPod(here.metadata.name)
      const other = await newPod(elsewhere.metadata.name)
      const names = (await cluster.podsOf(here.metadata.name)).map(({ metadata }) => metadata.name)
      expect(names).toEqual([pod.metadata.name])
      expect(conditionOf(pod, 'Ready')?.status).toBe(READY.status)
      const { resourceVersion } = pod.metadata
      const patch = { metadata: { resourceVersion }, status: { conditions: [down] } }
      const written = await cluster.patchPodStatus(pod, patch)
      expect(conditionOf(written, 'Ready')).toMatchObject(down)
      expect(conditionOf(written, 'ContainersReady')).toEqual(conditionOf(pod, 'ContainersReady'))
      expect(written.status?.phase).toBe('Running')
      expect(await cluster.pod(pod)).toEqual(written)
      expect(await kindOf(cluster.patchPodStatus(pod, patch))).toBe('conflict')
      await under.deletePod(other.metadata.name)
      const gone = { metadata: { resourceVersion: other.metadata.resourceVersion }, status: { conditions: [down] } }
      expect(await kindOf(cluster.patchPodStatus(other, gone))).toBe('not-found')
      expect(await cluster.pod(other)).toBeUndefined()
    })
  })
}
