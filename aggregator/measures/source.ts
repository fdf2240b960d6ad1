/** What nodes measured of late, as rules are said over it. */
import type { MeasureName } from '../../inspection/measures.ts'

/** Whose figure it is: a host's, or a container's on it. */
export interface MeasuredSubject {
  readonly node: string
  readonly pool: string
  readonly container?: {
    readonly namespace: string
    readonly pod: string
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
  }
}

export interface MeasureAverage {
  readonly subject: MeasuredSubject
  /** In the measure's own unit. */
  readonly value: number
  /** How much of the time that was asked for there are figures of, ms. */
  readonly coveredMs: number
}

/** A label that pods have in their cluster: with this value, or with any where none is given. */
export interface PodLabel {
  readonly key: string
  readonly value?: string
}

/** A label of pods that is not known at present, so that nobody can say which containers are meant. */
export interface MissingLabel {
  readonly key: string
  readonly why: string
}

export interface MeasureSource {
  /**
   * Averages over the last `overMs`. Whoever said nothing in it is not among them. Containers come with these labels of
   * their pods, where they have them, beside those that all have.
   */
  averages(
    measure: MeasureName,
    overMs: number,
    scope: 'host' | 'container',
    labels?: readonly PodLabel[],
  ): readonly MeasureAverage[]
  /** Has to be asked for labels before their absence means anything. The first that is not known; undefined when all are. */
  missing(labels: readonly PodLabel[]): MissingLabel | undefined
}
