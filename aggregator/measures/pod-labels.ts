/** Labels that pods have in their cluster, beside what every container is known by. */
import type { PodLabel } from './source.ts'
import { WORKLOAD } from './workloads.ts'

/** What every container is known by, as the node says it. A label of a pod that has one of these names is not seen. */
const OF_CONTAINERS: readonly string[] = ['namespace', 'pod', 'container', WORKLOAD]

export interface LabelledPod {
  /** Of the label that was asked for. */
  readonly value: string
  /** What the pod belongs to, as its cluster says. */
  readonly workload: string
}

export interface PodLabels {
  /** It is wanted for ten minutes more. Why it is not known at present; undefined while it is. */
  want(label: PodLabel): string | undefined
  /** Undefined of a pod that does not have it, and of all while it is not known. */
  podWith(label: PodLabel, namespace: string, pod: string): LabelledPod | undefined
}

/** Where there is nobody to ask. */
export const NO_CLUSTER: PodLabels = {
  want: () => 'the aggregator has no cluster to ask: kubernetes in its aggregator.yaml',
  podWith: () => undefined,
}

/** Those among the labels of a rule that only the cluster knows. */
export function podLabelsOf(labels: Readonly<Record<string, string>>): readonly PodLabel[] {
  return Object.entries(labels).flatMap(([key, value]) => (OF_CONTAINERS.includes(key) ? [] : [{ key, value }]))
}

/** The same of a question that gives a key alone. */
export function podLabelOf(key: string): readonly PodLabel[] {
  return OF_CONTAINERS.includes(key) ? [] : [{ key }]
}
