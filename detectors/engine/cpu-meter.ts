/**
 * What looks take of the processor. A process has one account for everything that it does, so this is an estimate: what was
 * used while a look was in progress, less what the process uses when none is, and in equal parts where several are. What
 * the programs take that a detector runs is not in it; nor can it be told from the rest of a process under heavy load.
 */
import type { Clock } from './clock.ts'

/** Begun with `begin`, and read from `end`. */
export interface Reading {
  cpuMs: number
}

/** The rate at rest is that of about so long. */
const REST_MS = 30_000

export class CpuMeter {
  readonly #clock: Pick<Clock, 'now' | 'cpuMs'>
  readonly #open = new Set<Reading>()
  #markMs: number
  #markCpuMs: number
  /** Processor time per time while nobody looks; undefined before that was measured. */
  #restRate: number | undefined

  constructor(clock: Pick<Clock, 'now' | 'cpuMs'>) {
    this.#clock = clock
    this.#markMs = clock.now().ms
    this.#markCpuMs = clock.cpuMs()
  }

  begin(): Reading {
    this.#mark()
    const reading = { cpuMs: 0 }
    this.#open.add(reading)
    return reading
  }

  end(reading: Reading): number {
    this.#mark()
    this.#open.delete(reading)
    return reading.cpuMs
  }

  #mark(): void {
    const ms = this.#clock.now().ms
    const cpuMs = this.#clock.cpuMs()
    const passedMs = ms - this.#markMs
    const usedMs = cpuMs - this.#markCpuMs
    this.#markMs = ms
    this.#markCpuMs = cpuMs
    if (this.#open.size > 0) {
      const share = Math.max(0, usedMs - (this.#restRate ?? 0) * passedMs) / this.#open.size
      for (const reading of this.#open) reading.cpuMs += share
    } else if (passedMs > 0) {
      const weight = this.#restRate === undefined ? 1 : passedMs / (passedMs + REST_MS)
      const rate = usedMs / passedMs
      this.#restRate = weight * rate + (1 - weight) * (this.#restRate ?? 0)
    }
  }
}
