/**
 * Labels of pods, each followed while a rule or a question wants it and this aggregator leads, by a watch of the pods that
 * have it and of their metadata alone. Of up to 150,000 pods, which is what Kubernetes is made for
 * (kubernetes.io/docs/setup/best-practices/cluster-large), a LIST would bring all again and again; a watch with a selector
 * begins in the server's cache and carries what is chosen, when it changes. Which node a pod is on its metadata does not say:
 * pods of nodes outside the mesh are of no container that is known.
 */
import type { LabelledPod, PodLabels } from '../../measures/pod-labels.ts'
import type { PodLabel } from '../../measures/source.ts'
import type { PodSource } from '../watched-pods.ts'
import { FollowedLabel } from './followed-label.ts'
import { selectorOf } from './label-selector.ts'
import type { PodMetadata } from './pod-metadata.ts'

/** As long as containers are collected after they were asked for. */
const WANTED_FOR_MS = 600_000
const LOOK_EVERY_MS = 5_000
/** A connection each. */
const WATCHES_MAX = 32
/** Of these for questions, which ask for all values: a curious person takes none from the rules. */
const QUESTIONS_MAX = 4
/** Of all labels together, 15 MB: as many as containers are known of. */
const PODS_MAX = 50_000

export interface FollowedLabelsInit {
  readonly open: (selector: string) => PodSource<PodMetadata>
  readonly leads: () => boolean
  /** Monotonic ms. */
  readonly now: () => number
  readonly podsMax?: number
}

interface Wanted {
  readonly label: FollowedLabel
  readonly isQuestion: boolean
  wantedAtMs: number
}

export class FollowedLabels implements PodLabels {
  readonly #init: FollowedLabelsInit
  /** By selector. */
  readonly #wanted = new Map<string, Wanted>()
  readonly #timer: NodeJS.Timeout

  constructor(init: FollowedLabelsInit) {
    this.#init = init
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  want(label: PodLabel): string | undefined {
    const selector = selectorOf(label)
    if (selector === undefined) return 'a pod can have no label of this form'
    const known = this.#wanted.get(selector)
    if (known !== undefined) {
      // What has too many pods is let go of nevertheless, and tried again when it is wanted then.
      if (!known.label.isFull) known.wantedAtMs = this.#init.now()
      return known.label.why
    }
    const isQuestion = label.value === undefined
    const max = isQuestion ? QUESTIONS_MAX : WATCHES_MAX - QUESTIONS_MAX
    const alike = [...this.#wanted.values()].filter((one) => one.isQuestion === isQuestion)
    if (alike.length >= max) return `${max} others are followed already, until nobody asked for one for ten minutes`
    const followed = new FollowedLabel({
      key: label.key,
      source: this.#init.open(selector),
      hasRoom: () => this.#pods() < (this.#init.podsMax ?? PODS_MAX),
    })
    this.#wanted.set(selector, { label: followed, isQuestion, wantedAtMs: this.#init.now() })
    return followed.why
  }

  podWith(label: PodLabel, namespace: string, pod: string): LabelledPod | undefined {
    return this.#wanted.get(selectorOf(label) ?? '')?.label.pod(namespace, pod)
  }

  /** Lets go of what is not wanted any more. */
  look(): void {
    const { leads, now } = this.#init
    for (const [selector, { label, wantedAtMs }] of this.#wanted) {
      if (leads() && now() - wantedAtMs <= WANTED_FOR_MS) continue
      label.stop()
      this.#wanted.delete(selector)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const { label } of this.#wanted.values()) label.stop()
    this.#wanted.clear()
  }

  #pods(): number {
    return [...this.#wanted.values()].reduce((sum, { label }) => sum + label.size, 0)
  }
}
