/** Where the pods that opted in for a readiness gate come from: an API server, or a test. */
import type { KubeClient } from '../client.ts'
import { GATE } from '../marking/gates.ts'
import type { PodObject } from '../marking/objects.ts'
import { type NewsOfPods, type PodSource, WatchedPods } from '../watched-pods.ts'

export type PodNews = NewsOfPods<PodObject>
export type OptedPods = PodSource<PodObject>

/** By their label: a WATCH of all pods would carry every change of every pod, and no selector knows readiness gates. */
export function watchOptedPods(client: KubeClient): OptedPods {
  return new WatchedPods(client, { selector: GATE })
}
