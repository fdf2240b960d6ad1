/** A real API server is held to the contract that the cluster in memory, which most tests use, is held to. */
import { connectKubernetes } from '../../aggregator/kubernetes/client.ts'
import { createCluster } from '../../aggregator/kubernetes/cluster.ts'
import { CONTROL_PLANE, ControlPlane } from '../../bench/control-plane/control-plane.ts'
import { podOn } from '../../bench/control-plane/objects.ts'
import { missingForApiServer } from '../../bench/control-plane/programs.ts'
import { Network } from '../../bench/namespaces/network.ts'
import { clusterConformance } from '../kubernetes/cluster-conformance.ts'
import { node, pod } from '../kubernetes/objects.ts'
import { describeReal } from '../real-part.ts'

const DEFAULT = '/api/v1/namespaces/default'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'

describeReal('the adapter of API servers', missingForApiServer(), () => {
  clusterConformance('a real API server', async () => {
    // Without a controller manager: nobody else writes to what is looked at here.
    const network = new Network([CONTROL_PLANE])
    const plane = await ControlPlane.start(network).catch((error: unknown) => {
      network.remove()
      throw error
    })
    const { admin } = plane
    await admin.create(`${DEFAULT}/serviceaccounts`, { metadata: { name: 'default' } })
    const client = await connectKubernetes({ kubeconfig: await plane.kubeconfigOutside() })
    let renewals = 0
    return {
      cluster: createCluster(client),
      makeNode: async (name) => {
        await admin.create('/api/v1/nodes', { metadata: { name } })
        const { status } = node(name, { conditions: [{ type: 'MemoryPressure', status: 'False' }] })
        await admin.patch(`/api/v1/nodes/${name}/status`, { status })
      },
      makePod: async (name, on) => {
        await admin.create(`${DEFAULT}/pods`, podOn(on, name))
        await admin.patch(`${DEFAULT}/pods/${name}/status`, { status: pod(name, on).status })
      },
      deletePod: (name) => admin.remove(`${DEFAULT}/pods/${name}`),
      renew: async (name) => {
        const renewTime = `2026-01-01T00:00:${String(++renewals).padStart(2, '0')}.000000Z`
        const lease = { metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime } }
        const made = await admin.ask('POST', LEASES, lease)
        if (made.status === 409) await admin.patch(`${LEASES}/${name}`, { spec: lease.spec })
      },
      close: async () => {
        client.close()
        plane.close()
        network.remove()
      },
    }
  })
})
