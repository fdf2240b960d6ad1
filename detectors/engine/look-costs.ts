/** What the late looks of one detector cost. */

/** The middle one of so many: a first look, which compiles, or a busy moment does not count for the rest. */
const LOOKS_COUNTED = 5
const LOOKS_NEEDED = 3
/** Samples change slowly in size, and to measure one is to write it down. */
const MEASURED_EVERY = 10

export class LookCosts {
  readonly #sizeOf: (sample: unknown) => number
  #cpuMs: readonly number[] = []
  #samples = 0
  #sampleBytes = 0

  constructor(sizeOf: (sample: unknown) => number) {
    this.#sizeOf = sizeOf
  }

  add(cpuMs: number): void {
    this.#cpuMs = [cpuMs, ...this.#cpuMs].slice(0, LOOKS_COUNTED)
  }

  sampled(sample: unknown): void {
    if (this.#samples++ % MEASURED_EVERY === 0) this.#sampleBytes = this.#sizeOf(sample)
  }

  /** Of a look; 0 while too few were measured. */
  get cpuMs(): number {
    if (this.#cpuMs.length < LOOKS_NEEDED) return 0
    return this.#cpuMs.toSorted((a, b) => a - b)[Math.floor(this.#cpuMs.length / 2)] ?? 0
  }

  /** Of a sample, as it was last measured. */
  get sampleBytes(): number {
    return this.#sampleBytes
  }
}
