/** What a bench is: it measures something on this machine and holds the figures against targets. It asserts nothing. */

export type OptionValue = number | string | boolean

export interface BenchOption<V extends OptionValue = OptionValue> {
  readonly summary: string
  /** Also says of which type the option is: `--nodes 32`, `--zone a`, `--keep`. */
  readonly default: V
}

export type BenchOptions = Readonly<Record<string, BenchOption>>

/** The options of one run, each of the type of its default. */
export type ValuesOf<O extends BenchOptions> = { readonly [K in keyof O]: TypeOf<O[K]['default']> }
type TypeOf<V> = V extends number ? number : V extends string ? string : boolean

export interface Measurement {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** A figure that matters, and the bound that it should keep. */
export interface Target extends Measurement {
  readonly op: '<=' | '>='
  readonly target: number
}

export interface BenchOutcome {
  /** What was really run, derived figures included: sizes, seeds, rounds. */
  readonly settings: Readonly<Record<string, OptionValue>>
  readonly results: readonly Measurement[]
  readonly targets: readonly Target[]
}

/** Tells the person waiting what is going on; never part of the report. */
export type Progress = (text: string) => void

export interface Bench<O extends BenchOptions = BenchOptions> {
  /** kebab-case: `npm run -s bench -- NAME`. */
  readonly name: string
  readonly summary: string
  /** By name in kebab-case. */
  readonly options: O
  /** Cleans up after itself, also when it throws. */
  run(options: ValuesOf<O>, progress: Progress): Promise<BenchOutcome>
}

/** Identity function that infers the types of the options from their defaults. */
export function defineBench<const O extends BenchOptions>(bench: Bench<O>): Bench<O> {
  return bench
}
