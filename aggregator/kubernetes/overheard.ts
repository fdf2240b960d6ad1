/** A cluster whose readings of Nodes others listen to, so that what one part reads no other part reads again. */
import type { Cluster } from './cluster.ts'
import type { NodeObject } from './marking/objects.ts'

/** The same cluster; `saw` is told of all Nodes that are read or written by it. */
export function overheard(cluster: Cluster, saw: (nodes: readonly NodeObject[], isAll: boolean) => void): Cluster {
  const one = async (reply: Promise<NodeObject>): Promise<NodeObject> => {
    const node = await reply
    saw([node], false)
    return node
  }
  return {
    ...cluster,
    nodes: async () => {
      const nodes = await cluster.nodes()
      saw(nodes, true)
      return nodes
    },
    node: async (name) => {
      const node = await cluster.node(name)
      if (node !== undefined) saw([node], false)
      return node
    },
    patchNodeStatus: (...args) => one(cluster.patchNodeStatus(...args)),
    setTaints: (...args) => one(cluster.setTaints(...args)),
  }
}
