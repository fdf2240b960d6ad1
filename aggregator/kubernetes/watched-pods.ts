/**
 * Pods of a real API server that a label selector chooses, by one WATCH. It begins with all there are, from the server's
 * cache: a LIST of many would come in one reply, and pages are read from etcd, pod by pod, whatever their labels, by servers
 * before 1.34 (KEP-4988).
 */
import type { KubeClient } from './client.ts'
import { keepUp, type WatchKind, watch } from './watch.ts'

const PODS = { group: '', resource: 'pods' } as const
/** As the server's cache has it. */
const ANY_VERSION = '0'

/** Of each pod its metadata, without what it is made of and how it is: a `PartialObjectMetadata`. */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

/**
 * `anew`: all of them are told from here on, those that are not are gone. `whole`: all that there were have been told by
 * now, about a minute later, with the server's first bookmark. `pod`: as it is. `gone`: it is no more, or is not chosen any
 * more.
 */
export type NewsOfPods<T> =
  | { readonly kind: 'anew' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'pod' | 'gone'; readonly pod: T }

export interface PodSource<T> {
  /** Once. `failed`: why nothing more is told for now; `stands`: all that happens is told, from now on. */
  start(told: (news: NewsOfPods<T>) => void, failed: (error: unknown) => void, stands?: () => void): void
  stop(): void
}

/** What is chosen, and whether more of it than its metadata is wanted. */
export interface PodChoice {
  readonly selector: string
  readonly metadataOnly?: boolean
}

export class WatchedPods<T extends { readonly metadata: { readonly resourceVersion: string } }>
  implements PodSource<T>
{
  readonly #client: KubeClient
  readonly #choice: PodChoice
  #path: string | undefined
  /** What is known up to here is whole: a watch that ends is taken up from it. */
  #version: string | undefined
  #end = () => {}

  constructor(client: KubeClient, choice: PodChoice) {
    this.#client = client
    this.#choice = choice
  }

  start(told: (news: NewsOfPods<T>) => void, failed: (error: unknown) => void, stands = () => {}): void {
    this.#end = keepUp((signal) => this.#follow(told, stands, signal), failed)
  }

  stop(): void {
    this.#end()
  }

  async #follow(told: (news: NewsOfPods<T>) => void, stands: () => void, signal: AbortSignal): Promise<void> {
    const { selector, metadataOnly = false } = this.#choice
    this.#path ??= await this.#pathOfPods()
    const ending = await watch<T>(this.#client.config, {
      path: this.#path,
      query: { labelSelector: selector, resourceVersion: this.#version ?? ANY_VERSION },
      ...(metadataOnly ? { accept: METADATA } : {}),
      signal,
      opened: () => {
        stands()
        if (this.#version === undefined) told({ kind: 'anew' })
      },
      take: (kind, pod) => this.#take(kind, pod, told),
    })
    if (ending === 'gone') this.#version = undefined
  }

  #take(kind: WatchKind, pod: T, told: (news: NewsOfPods<T>) => void): void {
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
