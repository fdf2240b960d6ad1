/** The cluster in memory is held to what a real one does; test/control-plane runs the same against an API server. */
import { clusterConformance } from './cluster-conformance.ts'
import { createFakeCluster } from './fake-cluster.ts'
import { node, pod } from './objects.ts'

clusterConformance('the cluster in memory', async () => {
  const cluster = createFakeCluster()
  return {
    cluster,
    makeNode: async (name) =>
      cluster.putNode(node(name, { conditions: [{ type: 'MemoryPressure', status: 'False' }] })),
    makePod: async (name, on) => cluster.putPod(pod(name, on)),
    deletePod: async (name) => cluster.deletePod('default', name),
    renew: async (name) => cluster.renew(name),
    close: async () => {},
  }
})
