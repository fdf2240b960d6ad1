/** The cluster in memory is held to what a real one does; test/control-plane runs the same against an API server. */
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import { clusterConformance } from './cluster-conformance.ts'
import { createFakeCluster, merged } from './fake-cluster.ts'
import { node, pod } from './objects.ts'
import { optedPodsConformance } from './pods-conformance.ts'

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

optedPodsConformance('the cluster in memory', async () => {
  const cluster = createFakeCluster()
  return {
    open: () => cluster.watchPods(),
    makePod: async (name, group) => {
      const labels = group === undefined ? {} : { [GATE]: group }
      cluster.putPod(pod(name, 'a', { labels, gates: [[GATE, 'False']] }))
    },
    openGate: async (name) => {
      const found = cluster.pods.find(({ metadata }) => metadata.name === name)
      const conditions = [{ type: GATE, status: 'True', reason: null, message: null }]
      if (found !== undefined) cluster.putPod(merged(found, { status: { conditions } }))
    },
    deletePod: async (name) => cluster.deletePod('default', name),
    close: async () => {},
  }
})
