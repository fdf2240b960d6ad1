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

/**
 * Resolves when all pods are Ready. One at a time on each node: kubemark keeps its fake files in a map, and two pods that
 * start at once now and then end it with "concurrent map writes".
 */
export async function deploy(cluster: Cluster, nodes: readonly string[], { pods, served }: Workload): Promise<void> {
  for (let number = 1; number <= pods; number++) {
    const names = nodes.map((node) => ({ node, name: `${podPrefix(node)}${number}` }))
    const made = names.map(({ node, name }) => podOn(node, name, { app: name }))
    await cluster.add(made, number > served ? [] : names.map(({ name }) => serviceOf(name)))
  }
}
