/** The pods that a measured node has: some behind a Service each, the others behind none. */
import type { Cluster } from '../control-plane/cluster.ts'
import { podOn, serviceOf } from '../control-plane/objects.ts'

export interface Workload {
  readonly pods: number
  /** Of those; a Service for each, because a slice has each address once and the fake runtime gives all pods the same. */
  readonly served: number
}

/** What the names of a node's pods begin with: no other node's do. */
export function podPrefix(node: string): string {
  return `${node}-pod-`
}

/** Resolves when all pods are Ready. */
export async function deploy(cluster: Cluster, nodes: readonly string[], { pods, served }: Workload): Promise<void> {
  const names = nodes.flatMap((node) =>
    Array.from({ length: pods }, (_, index) => ({
      node,
      name: `${podPrefix(node)}${index + 1}`,
      isServed: index < served,
    })),
  )
  const made = names.map(({ node, name }) => podOn(node, name, { app: name }))
  await cluster.add(
    made,
    names.filter(({ isServed }) => isServed).map(({ name }) => serviceOf(name)),
  )
}
