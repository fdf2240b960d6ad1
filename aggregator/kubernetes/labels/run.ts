/** Labels of pods, for an aggregator that has a cluster. */
import { type ClusterAccess, connectKubernetes } from '../client.ts'
import { WatchedPods } from '../watched-pods.ts'
import { FollowedLabels } from './followed-labels.ts'
import type { PodMetadata } from './pod-metadata.ts'

export interface RunningLabels {
  readonly labels: FollowedLabels
  stop(): void
}

/** Throws UsageError when the cluster cannot be found. Nothing is asked of it before a label is wanted. */
export async function connectLabels(access: ClusterAccess, leads: () => boolean): Promise<RunningLabels> {
  const client = await connectKubernetes(access)
  const labels = new FollowedLabels({
    open: (selector) => new WatchedPods<PodMetadata>(client, { selector, metadataOnly: true }),
    leads,
    now: () => performance.now(),
  })
  return {
    labels,
    stop: () => {
      labels.stop()
      client.close()
    },
  }
}
