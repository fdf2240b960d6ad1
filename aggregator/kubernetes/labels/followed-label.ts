/** The pods that have one label, as they are told. */
import { messageOf } from '../../../common/errors.ts'
import type { LabelledPod } from '../../measures/pod-labels.ts'
import { ApiError } from '../api-error.ts'
import type { NewsOfPods, PodSource } from '../watched-pods.ts'
import { ownerOf, type PodMetadata } from './pod-metadata.ts'

export interface FollowedLabelInit {
  readonly key: string
  readonly source: PodSource<PodMetadata>
  /** Whether one more pod may be kept. */
  readonly hasRoom: () => boolean
}

export class FollowedLabel {
  readonly #init: FollowedLabelInit
  readonly #pods = new Map<string, LabelledPod>()
  #isWhole = false
  #problem: string | undefined
  #isFull = false

  constructor(init: FollowedLabelInit) {
    this.#init = init
    init.source.start(
      (news) => this.#take(news),
      (error) => {
        this.#problem = problemOf(error)
      },
      () => {
        this.#problem = undefined
      },
    )
  }

  /** How many pods are known to have it. */
  get size(): number {
    return this.#pods.size
  }

  /** More pods have it than may be kept: nothing is told of it any more. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Undefined while it is known of each pod whether it has the label. */
  get why(): string | undefined {
    if (this.#isFull) return 'too many pods have it'
    if (this.#problem !== undefined) return this.#problem
    return this.#isWhole ? undefined : 'the API server has not told all of them yet, which takes about a minute'
  }

  pod(namespace: string, name: string): LabelledPod | undefined {
    return this.why === undefined ? this.#pods.get(keyOf(namespace, name)) : undefined
  }

  stop(): void {
    this.#init.source.stop()
  }

  #take(news: NewsOfPods<PodMetadata>): void {
    if (this.#isFull) return
    if (news.kind === 'whole') this.#isWhole = true
    else if (news.kind === 'anew') {
      this.#isWhole = false
      this.#pods.clear()
    } else this.#put(news.kind, news.pod)
  }

  #put(kind: 'pod' | 'gone', pod: PodMetadata): void {
    const { name, namespace = '', labels } = pod.metadata
    const key = keyOf(namespace, name)
    const value = labels?.[this.#init.key]
    if (kind === 'gone' || value === undefined) {
      this.#pods.delete(key)
    } else if (this.#pods.has(key) || this.#init.hasRoom()) {
      this.#pods.set(key, { value, workload: ownerOf(pod) })
    } else {
      this.#isFull = true
      this.#pods.clear()
      this.stop()
    }
  }
}

function keyOf(namespace: string, pod: string): string {
  return `${namespace}/${pod}`
}

function problemOf(error: unknown): string {
  const isForbidden = error instanceof ApiError && error.kind === 'forbidden'
  return `${isForbidden ? 'the right to list and watch pods is missing: ' : ''}${messageOf(error)}`
}
