/**
 * What a host measured: averages of each of the last 60 minutes and 48 hours. Minutes are counted by a clock that is never
 * set, hours by the wall clock. When that is set back, the hour that it is then goes on where it was.
 */
import { z } from 'zod'
import type { Moment } from '../../common/moment.ts'
import { HOUR_MS, HOURS_MAX, MEASURE_NAMES, MINUTE_MS, MINUTES_MAX } from '../../inspection/measure-words.ts'
import type { MeasureName, Measures } from '../../inspection/measures.ts'
import { decodeValue, encodeValue } from '../../mesh/wire/codec.ts'

/** By measure: the sum of figure times time, and that time, ms. */
type Mean = Partial<Record<MeasureName, readonly [sum: number, weightMs: number]>>

const figure = z.number().min(0)
const keptSchema = z
  .array(
    z.strictObject({
      hour: z.int().min(0),
      mean: z.partialRecord(z.enum(MEASURE_NAMES), z.tuple([figure, figure])),
    }),
  )
  .max(HOURS_MAX + 1)

export class MeasureKeeper {
  readonly #minutes = new Map<number, Mean>()
  /** The one that was measured in last is the last. */
  readonly #hours = new Map<number, Mean>()

  /** One reading, which stands for the `overMs` before it. */
  take({ ms, wall }: Moment, figures: Measures, overMs: number): void {
    const minute = Math.floor(ms / MINUTE_MS)
    this.#minutes.set(minute, added(this.#minutes.get(minute), figures, overMs))
    for (const old of this.#minutes.keys()) if (old <= minute - MINUTES_MAX) this.#minutes.delete(old)
    const hour = hourOf(wall)
    const mean = added(this.#hours.get(hour), figures, overMs)
    this.#hours.delete(hour)
    this.#hours.set(hour, mean)
    // By when they were written, not by their names: a clock that was years ahead for a moment costs no kept hours.
    for (const oldest of this.#hours.keys()) if (this.#hours.size > HOURS_MAX + 1) this.#hours.delete(oldest)
  }

  /** Averages of each of the last `count` minutes, the one that runs last; empty where nothing is known. */
  lastMinutes({ ms }: Moment, count: number): readonly Measures[] {
    const last = Math.floor(ms / MINUTE_MS)
    const minutes = Array.from({ length: count }, (_, index) => averageOf(this.#minutes.get(last - count + 1 + index)))
    const first = minutes.findIndex((minute) => Object.keys(minute).length > 0)
    return first < 0 ? [] : minutes.slice(first)
  }

  /** The average over the last `count` whole minutes; of a host that has not measured for one yet, what it has. */
  average({ ms }: Moment, count: number): Measures {
    const running = Math.floor(ms / MINUTE_MS)
    const whole = Array.from({ length: count }, (_, index) => this.#minutes.get(running - 1 - index))
    const known = whole.filter((mean) => mean !== undefined)
    return averageOf(known.length === 0 ? this.#minutes.get(running) : known.reduce(together))
  }

  /** Averages of the hours after `hour` that are over, oldest first. */
  wholeHours({ wall }: Moment, after: number): readonly { readonly hour: number; readonly averages: Measures }[] {
    const running = hourOf(wall)
    return [...this.#hours]
      .filter(([hour]) => hour > after && hour < running)
      .toSorted(([a], [b]) => a - b)
      .slice(-HOURS_MAX)
      .map(([hour, mean]) => ({ hour, averages: averageOf(mean) }))
  }

  /** The hours, for `restore` in a later life. */
  encode(): Uint8Array {
    return encodeValue([...this.#hours].map(([hour, mean]) => ({ hour, mean })))
  }

  /** Throws an Error for what `encode` did not write; nothing of it is taken then. */
  restore(bytes: Uint8Array): void {
    for (const { hour, mean } of decodeValue(keptSchema, bytes)) this.#hours.set(hour, mean as Mean)
  }
}

export function hourOf(wall: string): number {
  return Math.floor(Date.parse(wall) / HOUR_MS)
}

function added(mean: Mean = {}, figures: Measures, overMs: number): Mean {
  const next: { -readonly [K in keyof Mean]: Mean[K] } = { ...mean }
  for (const name of MEASURE_NAMES) {
    const value = figures[name]
    if (value === undefined || overMs <= 0) continue
    const [sum, weightMs] = mean[name] ?? [0, 0]
    next[name] = [sum + value * overMs, weightMs + overMs]
  }
  return next
}

function together(one: Mean, other: Mean): Mean {
  const both: { -readonly [K in keyof Mean]: Mean[K] } = { ...one }
  for (const name of MEASURE_NAMES) {
    const [a, b] = [one[name], other[name]]
    if (b !== undefined) both[name] = a === undefined ? b : [a[0] + b[0], a[1] + b[1]]
  }
  return both
}

function averageOf(mean: Mean = {}): Measures {
  const known = MEASURE_NAMES.flatMap((name) => {
    const kept = mean[name]
    return kept === undefined || kept[1] <= 0 ? [] : [[name, kept[0] / kept[1]] as const]
  })
  return Object.fromEntries(known)
}
