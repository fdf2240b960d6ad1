/** Nodes and record in memory are held to what real ones do; test/control-plane runs the same against an API server. */
import { FakeEpochStore, FakeNodes } from './fake-nodes.ts'
import { epochStoreConformance, nodeSourceConformance } from './roster-conformance.ts'

nodeSourceConformance('the Nodes in memory', async () => {
  const nodes = new FakeNodes()
  return {
    open: () => nodes.open(),
    put: async (name, parts) => nodes.put(name, parts),
    remove: async (name) => nodes.remove(name),
    close: async () => {},
  }
})

epochStoreConformance('the record in memory', async () => new FakeEpochStore())
