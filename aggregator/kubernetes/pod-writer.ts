/** Marks the pods of one node, and undoes that: each once, so many at a time, never over what somebody wrote since. */
import { setTimeout as wait } from 'node:timers/promises'
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

  /** Throws what the cluster throws, but for conflicts; what was written by then stays known. */
  async mark(says: string): Promise<PodsMarked> {
    let marked = 0
    for (let round = 1; ; round++) {
      const ready = podsToMark(await this.#cluster.podsOf(this.#node))
      const known = ready.filter((pod) => this.#marked.has(keyOf(pod)))
      if (known.some((pod) => isLater(pod, this.#marked.get(keyOf(pod))))) return { marked, isAlive: true }
      const wanted = ready.filter((pod) => !known.includes(pod))
      const conflicts = await this.#patchAll(wanted, (pod) => markOf(pod, says, this.#now()))
      marked += wanted.length - conflicts
      if (conflicts === 0 || round === ROUNDS_MAX) return { marked, isAlive: false }
      await wait(ROUND_GAP_MS)
    }
  }

  /**
   * Undoes what this process wrote, as long as it is still the last that was written. `search`: also what an earlier life
   * or another leader wrote. Returns how many it undid; the kubelet has the others.
   */
  async undo(search: boolean): Promise<number> {
    const found = search ? (await this.#cluster.podsOf(this.#node)).filter(isMarkedPod) : []
    const pods = new Map([...found.map((pod) => [keyOf(pod), pod] as const), ...this.#marked])
    const undoable = [...pods.values()].filter(mayUndo)
    const conflicts = await this.#patchAll(undoable, (pod) => undoOf(pod, this.#now()))
    this.#marked.clear()
    return undoable.length - conflicts
  }

  get hasMarked(): boolean {
    return this.#marked.size > 0
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

function isLater(pod: PodObject, than: PodObject | undefined): boolean {
  return than !== undefined && BigInt(pod.metadata.resourceVersion) > BigInt(than.metadata.resourceVersion)
}
