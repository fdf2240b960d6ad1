/** One of the things that the bench of the aggregator measures. */
import type { Measurement, Progress, Target } from '../bench.ts'

export interface Part {
  /** kebab-case, as `--parts` names it. */
  readonly name: string
  run(size: PartSize, progress: Progress): Promise<PartOutcome>
}

export interface PartSize {
  /** Of everything random. */
  readonly seed: number
  /** Of history. */
  readonly days: number
  /** Of findings that come and go. */
  readonly seconds: number
}

export interface PartOutcome {
  readonly results: readonly Measurement[]
  readonly targets: readonly Target[]
}
