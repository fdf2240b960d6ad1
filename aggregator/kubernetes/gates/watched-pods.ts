/**
 * Opted-in pods of a real API server, by one WATCH with a label selector. It begins with all there are, from the server's
 * cache: a LIST of many would come in one reply, and pages are read from etcd, pod by pod, whatever their labels.
 */
import type { KubeClient } from '../client.ts'
import { GATE } from '../marking/gates.ts'
import type { PodObject } from '../marking/objects.ts'
import { keepUp, type WatchKind, watch } from '../watch.ts'
import type { OptedPods, PodNews } from './opted-pods.ts'

const PODS = { group: '', resource: 'pods' } as const
/** As the server's cache has it. */
const ANY_VERSION = '0'

export class WatchedPods implements OptedPods {
  readonly #client: KubeClient
  #path: string | undefined
  /** What is known up to here is whole: a watch that ends is taken up from it. */
  #version: string | undefined
  #end = () => {}

  constructor(client: KubeClient) {
    this.#client = client
  }

  start(told: (news: PodNews) => void, failed: (error: unknown) => void): void {
    this.#end = keepUp((signal) => this.#follow(told, signal), failed)
  }

  stop(): void {
    this.#end()
  }

  async #follow(told: (news: PodNews) => void, signal: AbortSignal): Promise<void> {
    this.#path ??= await this.#pathOfPods()
    const ending = await watch<PodObject>(this.#client.config, {
      path: this.#path,
      query: { labelSelector: GATE, resourceVersion: this.#version ?? ANY_VERSION },
      signal,
      opened: () => {
        if (this.#version === undefined) told({ kind: 'anew' })
      },
      take: (kind, pod) => this.#take(kind, pod, told),
    })
    if (ending === 'gone') this.#version = undefined
  }

  #take(kind: WatchKind, pod: PodObject, told: (news: PodNews) => void): void {
    const isWhole = kind === 'BOOKMARK' || this.#version !== undefined
    if (kind !== 'BOOKMARK') told({ kind: kind === 'DELETED' ? 'gone' : 'pod', pod })
    else if (this.#version === undefined) told({ kind: 'whole' })
    // What comes before the first bookmark comes in no order.
    if (isWhole) this.#version = pod.metadata.resourceVersion
  }

  /** The version of the core group, from the smallest list there is. */
  async #pathOfPods(): Promise<string> {
    const query = { limit: '1' }
    const { apiVersion } = await this.#client.call<{ apiVersion: string }>({ verb: 'list', ref: PODS, query })
    return `/api/${apiVersion}/pods`
  }
}
