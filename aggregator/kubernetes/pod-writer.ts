/** Marks the pods of one node, and undoes that: each once, so many at a time, never over what somebody wrote since. */

import { setTimeout as wait } from 'node:timers/promises'
import { counted } from '../../common/counted.ts'
import { ApiError } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import type { PodObject, StatusPatch } from './marking/objects.ts'
import { isMarkedPod, markOf, mayUndo, podsToMark, undoOf } from './marking/pod-marks.ts'
import type { Slots } from './slots.ts'

/** A LIST from the server's cache can lag behind what was written last. */
const ROUNDS_MAX = 3
const ROUND_GAP_MS = 100

/** `isAlive`: another writer made a pod Ready that was marked: only its kubelet does that. */
export interface PodsMarked {
  readonly marked: number
  readonly isAlive: boolean
}

export interface PodWriterInit {
  readonly cluster: Pick<Cluster, 'podsOf' | 'patchPodStatus'>
  readonly node: string
  readonly slots: Slots
  /** As Kubernetes writes times. */
  now(): string
}

export class PodWriter {
  readonly #cluster: Pick<Cluster, 'podsOf' | 'patchPodStatus'>
  readonly #node: string
  readonly #slots: Slots
  readonly #now: () => string
  /** As our PATCH left them, by namespace and name. */
  readonly #marked = new Map<string, PodObject>()

  /** `slots`: shared by all that write to this cluster's pods. */
  constructor(init: PodWriterInit) {
    this.#cluster = init.cluster
    this.#node = init.node
    this.#slots = init.slots
    this.#now = init.now
  }

  /**
   * Throws what the cluster throws; a conflict only when others kept writing to a pod of it. What was written by then stays
   * known.
   */
  async mark(says: string): Promise<PodsMarked> {
    let marked = 0
    for (let round = 1; ; round++) {
      const ready = podsToMark(await this.#cluster.podsOf(this.#node))
      const known = ready.filter((pod) => this.#marked.has(keyOf(pod)))
      if (known.some((pod) => isLater(pod, this.#marked.get(keyOf(pod))))) return { marked, isAlive: true }
      const wanted = ready.filter((pod) => !known.includes(pod))
      const conflicts = await this.#patchAll(wanted, (pod) => markOf(pod, says, this.#now()))
      marked += wanted.length - conflicts
      if (conflicts === 0) return { marked, isAlive: false }
      if (round === ROUNDS_MAX)
        throw new ApiError(
          'conflict',
          409,
          `${counted(conflicts, 'pod is', 'pods are')} written by others all the time`,
        )
      await wait(ROUND_GAP_MS)
    }
  }

  /**
   * Undoes every mark of ours that is still there, whoever wrote it: this process, an earlier leader, or a write whose answer
   * was lost. Returns how many it undid; those that somebody keeps writing to are left to their kubelet.
   */
  async undo(): Promise<number> {
    let undone = 0
    for (let round = 1; ; round++) {
      const undoable = (await this.#latest()).filter(mayUndo)
      const conflicts = await this.#patchAll(undoable, (pod) => undoOf(pod, this.#now()))
      undone += undoable.length - conflicts
      if (conflicts === 0 || round === ROUNDS_MAX) break
      await wait(ROUND_GAP_MS)
    }
    this.#marked.clear()
    return undone
  }

  get hasMarked(): boolean {
    return this.#marked.size > 0
  }

  /** As the server's cache has them, or as our own PATCH left them where that is later. */
  async #latest(): Promise<readonly PodObject[]> {
    const listed = await this.#cluster.podsOf(this.#node)
    const pods = new Map(listed.map((pod) => [keyOf(pod), pod]))
    for (const [key, pod] of this.#marked) if (!isLater(pods.get(key), pod)) pods.set(key, pod)
    return [...pods.values()]
  }

  /** How many could not be written because somebody else had written meanwhile. */
  async #patchAll(pods: readonly PodObject[], patchOf: (pod: PodObject) => StatusPatch): Promise<number> {
    let conflicts = 0
    let failure: unknown
    const write = async (pod: PodObject): Promise<void> => {
      if (failure !== undefined) return
      try {
        const written = await this.#cluster.patchPodStatus(pod, patchOf(pod))
        if (isMarkedPod(written)) this.#marked.set(keyOf(pod), written)
        else this.#marked.delete(keyOf(pod))
      } catch (error) {
        const kind = error instanceof ApiError ? error.kind : undefined
        if (kind === 'conflict') conflicts++
        else if (kind !== 'not-found') failure = error
      }
    }
    await Promise.all(pods.map((pod) => this.#slots.run(() => write(pod))))
    if (failure !== undefined) throw failure
    return conflicts
  }
}

function keyOf({ metadata }: PodObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function isLater(pod: PodObject | undefined, than: PodObject | undefined): boolean {
  if (pod === undefined || than === undefined) return false
  return BigInt(pod.metadata.resourceVersion) > BigInt(than.metadata.resourceVersion)
}
