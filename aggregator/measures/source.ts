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

export interface MeasureSource {
  /** Averages over the last `overMs`. Whoever said nothing in it is not among them. */
  averages(measure: MeasureName, overMs: number, scope: 'host' | 'container'): readonly MeasureAverage[]
}
