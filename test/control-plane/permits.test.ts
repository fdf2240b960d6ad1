/** The record of permits, and the view of the cluster, on a real API server: held to what those in memory are held to. */
import { beforeAll } from 'vitest'
import { connectKubernetes } from '../../aggregator/kubernetes/client.ts'
import { createBookObject } from '../../aggregator/kubernetes/permits/book-object.ts'
import { createClusterNow } from '../../aggregator/kubernetes/permits/cluster-now.ts'
import { podOn } from '../../bench/control-plane/objects.ts'
import { missingForApiServer } from '../../bench/control-plane/programs.ts'
import { bookConformance } from '../aggregator/permits/book-conformance.ts'
import { clusterNowConformance } from '../aggregator/permits/cluster-now-conformance.ts'
import { describeReal } from '../real-part.ts'
import { thePlane, WITHIN_MS } from './stage.ts'

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
