/** One of the things that the bench of the aggregator measures. */
import type { Measurement, Progress, Target } from '../bench.ts'

export interface Part {
  /** kebab-case, as `--parts` names it. */
  readonly name: string
  /** `seed`: of everything random; `days`: of history. */
  run(options: { readonly seed: number; readonly days: number }, progress: Progress): Promise<PartOutcome>
}

export interface PartOutcome {
  readonly results: readonly Measurement[]
  readonly targets: readonly Target[]
}
