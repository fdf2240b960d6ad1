/** Containers by the workload that they are of, over all nodes. */
import type { MeasureAverage } from './source.ts'

/** The label under which a container's workload stands, where nothing else is known of its labels. */
export const WORKLOAD = 'workload'

/** Of which Kubernetes makes the ends of names (k8s.io/apimachinery, util/rand): no vowels, and nothing that looks like one. */
const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]'
/** NAME-HASH-RANDOM of a Deployment, NAME-RANDOM of a DaemonSet or Job, NAME-ORDINAL of a StatefulSet. */
const MADE_UP = new RegExp(`^(.+?)(?:(?:-${RANDOM}{6,10})?-${RANDOM}{5}|-\\d+)$`)

export interface WorkloadAverage {
  readonly namespace: string
  readonly workload: string
  /** Of the averages of its containers. */
  readonly sum: number
  readonly mean: number
  readonly containers: number
  /** Of the one of which least is known. */
  readonly coveredMs: number
}

/** What the name of a pod says of its owner: an agent does not see labels. The name itself when it is of no known form. */
export function workloadOf(pod: string): string {
  return MADE_UP.exec(pod)?.[1] ?? pod
}

/** `label`: by whose value they belong together; those without it are left out. By namespace, then workload. */
export function byWorkload(averages: readonly MeasureAverage[], label = WORKLOAD): readonly WorkloadAverage[] {
  const workloads = new Map<string, WorkloadAverage>()
  for (const { subject, value, coveredMs } of averages) {
    const { namespace, labels } = subject.container ?? {}
    const workload = labels?.[label]
    if (namespace === undefined || workload === undefined) continue
    const key = JSON.stringify([namespace, workload])
    const known = workloads.get(key)
    const sum = (known?.sum ?? 0) + value
    const containers = (known?.containers ?? 0) + 1
    const least = Math.min(known?.coveredMs ?? coveredMs, coveredMs)
    workloads.set(key, { namespace, workload, sum, mean: sum / containers, containers, coveredMs: least })
  }
  return [...workloads.values()].toSorted(
    (a, b) => a.namespace.localeCompare(b.namespace) || a.workload.localeCompare(b.workload),
  )
}
