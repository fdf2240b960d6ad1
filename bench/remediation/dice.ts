/** Chance as a simulated world asks for it: the same seed gives the same answers. */
import { seededRandom } from '../../mesh/sim/random.ts'

export class Dice {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** From 0 to below 1. */
  unit(): number {
    return this.#random()
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.#random()
  }

  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1))
  }

  /** Undefined of nothing. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)]
  }

  /** How long until something comes that comes once in `mean` on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.#random()) * mean
  }

  hex(bytes: number): string {
    return Array.from({ length: bytes }, () => this.whole(0, 255).toString(16).padStart(2, '0')).join('')
  }
}
