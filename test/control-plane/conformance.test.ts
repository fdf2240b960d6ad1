/** A real API server is held to the contract that the cluster in memory, which most tests use, is held to. */
import { beforeAll, expect, it, vi } from 'vitest'
import { connectKubernetes } from '../../aggregator/kubernetes/client.ts'
import { createCluster } from '../../aggregator/kubernetes/cluster.ts'
import { watchOptedPods } from '../../aggregator/kubernetes/gates/opted-pods.ts'
import { ownerOf, type PodMetadata } from '../../aggregator/kubernetes/labels/pod-metadata.ts'
import { connectLabels } from '../../aggregator/kubernetes/labels/run.ts'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import { conditionOf, type PodObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { WatchedPods } from '../../aggregator/kubernetes/watched-pods.ts'
import { podOn } from '../../bench/control-plane/objects.ts'
import { missingForApiServer } from '../../bench/control-plane/programs.ts'
import { lookUntil } from '../../bench/whole.ts'
import { clusterConformance } from '../kubernetes/cluster-conformance.ts'
import { node, pod } from '../kubernetes/objects.ts'
import { optedPodsConformance } from '../kubernetes/pods-conformance.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { describeReal } from '../real-part.ts'
import { accountOutside, thePlane, WITHIN_MS } from './stage.ts'

const DEFAULT = '/api/v1/namespaces/default'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'

describeReal('the adapter of API servers', missingForApiServer(), () => {
  beforeAll(async () => {
    await thePlane()
  }, WITHIN_MS)
  clusterConformance('a real API server', async () => {
    const { plane } = await thePlane()
    const { admin } = plane
    // Nobody else writes to what is looked at here.
    plane.controllerManager.pause()
    // Where there is a controller manager, it has made that one already.
    await admin.ask('POST', `${DEFAULT}/serviceaccounts`, { metadata: { name: 'default' } })
    const made = new Set<string>()
    const client = await connectKubernetes({ kubeconfig: await plane.kubeconfigOutside() })
    let renewals = 0
    return {
      cluster: createCluster(client),
      makeNode: async (name) => {
        await admin.create('/api/v1/nodes', { metadata: { name } })
        made.add(`/api/v1/nodes/${name}`)
        const { status } = node(name, { conditions: [{ type: 'MemoryPressure', status: 'False' }] })
        await admin.patch(`/api/v1/nodes/${name}/status`, { status })
      },
      makePod: async (name, on) => {
        await admin.create(`${DEFAULT}/pods`, podOn(on, name))
        made.add(`${DEFAULT}/pods/${name}`)
        await admin.patch(`${DEFAULT}/pods/${name}/status`, { status: pod(name, on).status })
        // Pods are listed from the server's cache, which hears of a write a moment after it was answered.
        const isReady = (each: PodObject) => each.metadata.name === name && conditionOf(each, 'Ready') !== undefined
        await lookUntil(
          'the pod in the cache',
          async () => (await createCluster(client).podsOf(on)).some(isReady),
          () => name,
        )
      },
      deletePod: (name) => admin.remove(`${DEFAULT}/pods/${name}`),
      renew: async (name) => {
        const renewTime = `2026-01-01T00:00:${String(++renewals).padStart(2, '0')}.000000Z`
        const lease = { metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime } }
        const { status } = await admin.ask('POST', LEASES, lease)
        made.add(`${LEASES}/${name}`)
        if (status === 409) await admin.patch(`${LEASES}/${name}`, { spec: lease.spec })
      },
      close: async () => {
        client.close()
        for (const path of made) await admin.ask('DELETE', path, { gracePeriodSeconds: 0 })
        plane.controllerManager.resume()
      },
    }
  })

  it(
    'tells of pods with a label by their metadata alone, and of the right that is missing',
    async () => {
      const shared = await thePlane()
      const { admin } = shared.plane
      const labelled = `${DEFAULT}/pods/labelled`
      const client = await connectKubernetes({ kubeconfig: await accountOutside(shared) })
      const pods = new Map<string, PodMetadata>()
      const source = new WatchedPods<PodMetadata>(client, { selector: 'app=labels', metadataOnly: true })
      const refused = await connectLabels({ kubeconfig: await accountOutside(shared, 'starling-agent') }, () => true)
      try {
        const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'front', controller: true }
        const { metadata } = await admin.create<{ metadata: { uid: string } }>(`${DEFAULT}/configmaps`, {
          metadata: { name: owner.name },
        })
        const pod = { metadata: { labels: { app: 'labels' }, ownerReferences: [{ ...owner, uid: metadata.uid }] } }
        await admin.create(`${DEFAULT}/pods`, podOn('nowhere', 'labelled'))
        await admin.patch(labelled, pod)
        source.start(
          (news) => {
            if (news.kind === 'pod') pods.set(news.pod.metadata.name, news.pod)
            if (news.kind === 'gone') pods.delete(news.pod.metadata.name)
          },
          (error) => {
            throw error
          },
        )
        const seen = await vi.waitUntil(() => pods.get('labelled'), PATIENCE)
        expect(seen).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { labels: { app: 'labels' } } })
        expect(ownerOf(seen)).toBe('front')
        await admin.patch(labelled, { metadata: { labels: { app: 'other' } } })
        await vi.waitFor(() => expect(pods.size).toBe(0), PATIENCE)

        const why = () => refused.labels.want({ key: 'app', value: 'labels' })
        await vi.waitFor(
          () => expect(why()).toMatch(/^the right to list and watch pods is missing: .*starling-agent/),
          PATIENCE,
        )
      } finally {
        source.stop()
        refused.stop()
        client.close()
        await admin.remove(labelled)
        await admin.remove(`${DEFAULT}/configmaps/front`)
      }
    },
    WITHIN_MS,
  )

  optedPodsConformance('a real API server', async () => {
    const { plane } = await thePlane()
    const { admin } = plane
    const client = await connectKubernetes({ kubeconfig: await plane.kubeconfigOutside() })
    const made = new Set<string>()
    return {
      open: () => watchOptedPods(client),
      makePod: async (name, group) => {
        // There is no such node, and so no kubelet.
        const labels = group === undefined ? {} : { [GATE]: group }
        await admin.create(`${DEFAULT}/pods`, podOn('nowhere', name, labels, [GATE]))
        made.add(name)
      },
      openGate: async (name) => {
        const status = { conditions: [{ type: GATE, status: 'True' }] }
        await admin.patch(`${DEFAULT}/pods/${name}/status`, { status })
      },
      deletePod: async (name) => {
        made.delete(name)
        await admin.remove(`${DEFAULT}/pods/${name}`)
      },
      close: async () => {
        client.close()
        for (const name of made) await admin.remove(`${DEFAULT}/pods/${name}`)
      },
    }
  })
})
