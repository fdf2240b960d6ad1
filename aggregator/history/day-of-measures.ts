/** One node's hours of a day as one small blob, the same in every database, and the day that they make. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type HourOfMeasures, MEASURES, type MeasureName, type Measures } from '../../inspection/measures.ts'
import type { DayOfMeasures, MeasuresQuery } from './history.ts'

/** In the order of the blob, which is kept: a new measure is put at its end, and one that is given up keeps its place. */
export const PACKED_MEASURES: readonly MeasureName[] = [
  'cpu',
  'memory',
  'swap',
  'load',
  'pressure-cpu',
  'pressure-memory',
  'pressure-io',
  'disk',
  'inodes',
  'network-in',
  'network-out',
  'conntrack',
]
const HOURS = 24
const FLOAT_BYTES = 4
const FIGURES = HOURS * PACKED_MEASURES.length
/** Of a float's 23 binary digits 11 are kept: 0.02 %, which is finer than any of these figures is true. */
const DIGITS_KEPT = 0xff_ff_f0_00
const HALF_OF_LAST = 0x8_00
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Since 1970, in UTC. */
export function dayOf(time: string): number {
  return Math.floor(Date.parse(time) / DAY_MS)
}

export function nameOfDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** `blob` with these hours in it, too; those of other days are left out. Without a blob the day begins empty. */
export function putHours(blob: Uint8Array | undefined, hours: readonly HourOfMeasures[]): Uint8Array {
  const figures = blob === undefined ? new Float32Array(FIGURES).fill(Number.NaN) : unpack(blob)
  for (const { hour, averages } of hours) {
    const place = new Date(hour).getUTCHours() * PACKED_MEASURES.length
    for (const [index, name] of PACKED_MEASURES.entries()) {
      figures[place + index] = averages[name] ?? Number.NaN
    }
  }
  return pack(figures)
}

/** Hours of which nothing is known are left out. */
export function hoursOf(node: string, day: number, blob: Uint8Array): readonly HourOfMeasures[] {
  const figures = unpack(blob)
  const hours: HourOfMeasures[] = []
  for (let hour = 0; hour < HOURS; hour++) {
    const averages: Partial<Record<MeasureName, number>> = {}
    for (const [index, name] of PACKED_MEASURES.entries()) {
      const value = figures[hour * PACKED_MEASURES.length + index] ?? Number.NaN
      if (!Number.isNaN(value)) averages[name] = value
    }
    if (Object.keys(averages).length === 0) continue
    hours.push({ node, hour: new Date(day * DAY_MS + hour * HOUR_MS).toISOString(), averages })
  }
  return hours
}

/** The first bytes of all figures, then the second, and so on, those of one measure side by side: alike is next to alike. */
function pack(figures: Float32Array): Uint8Array {
  const planes = Buffer.alloc(FIGURES * FLOAT_BYTES)
  const bits = new DataView(new ArrayBuffer(FLOAT_BYTES))
  for (const [index, figure] of figures.entries()) {
    bits.setFloat32(0, figure)
    if (!Number.isNaN(figure)) bits.setUint32(0, ((bits.getUint32(0) + HALF_OF_LAST) & DIGITS_KEPT) >>> 0)
    for (let byte = 0; byte < FLOAT_BYTES; byte++) planes[placeIn(byte, index)] = bits.getUint8(byte)
  }
  return deflateRawSync(planes, { level: 9 })
}

/** Throws an Error for what is damaged. */
function unpack(blob: Uint8Array): Float32Array {
  const planes = inflateRawSync(blob, { maxOutputLength: FIGURES * FLOAT_BYTES })
  const bits = new DataView(new ArrayBuffer(FLOAT_BYTES))
  return new Float32Array(FIGURES).map((_, index) => {
    for (let byte = 0; byte < FLOAT_BYTES; byte++) bits.setUint8(byte, planes[placeIn(byte, index)] ?? 0)
    return bits.getFloat32(0)
  })
}

function placeIn(byte: number, index: number): number {
  const [hour, measure] = [Math.floor(index / PACKED_MEASURES.length), index % PACKED_MEASURES.length]
  return (byte * PACKED_MEASURES.length + measure) * HOURS + hour
}

/** Hours of one node and day; `day` as `dayOf` has it. */
export interface HoursOfDay {
  readonly node: string
  readonly day: number
  readonly hours: readonly HourOfMeasures[]
}

/** By node and day, in the order in which they first come. */
export function byDay(hours: readonly HourOfMeasures[]): readonly HoursOfDay[] {
  const days = Map.groupBy(hours, ({ node, hour }) => `${dayOf(hour)} ${node}`)
  return [...days.values()].flatMap((all) => {
    const [first] = all
    return first === undefined ? [] : [{ node: first.node, day: dayOf(first.hour), hours: all }]
  })
}

/** `hours`: by node, then hour. */
export function daysOf(hours: readonly HourOfMeasures[]): readonly DayOfMeasures[] {
  return byDay(hours).map(({ node, day, hours: all }) => {
    const over = (fold: (values: readonly number[]) => number): Measures => {
      const names = Object.keys(MEASURES) as MeasureName[]
      const folded = names.map((name) => [name, all.flatMap(({ averages }) => averages[name] ?? [])] as const)
      return Object.fromEntries(folded.flatMap(([name, values]) => (values.length === 0 ? [] : [[name, fold(values)]])))
    }
    const averages = over((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
    return { node, day: nameOfDay(day), averages, peaks: over((values) => Math.max(...values)) }
  })
}

export function isWithin({ from, until }: MeasuresQuery, { hour }: HourOfMeasures): boolean {
  return Date.parse(hour) >= Date.parse(from) && Date.parse(hour) < Date.parse(until)
}

/** By node, then hour. */
export function inOrder(hours: readonly HourOfMeasures[]): readonly HourOfMeasures[] {
  return hours.toSorted((a, b) => (a.node === b.node ? compare(a.hour, b.hour) : compare(a.node, b.node)))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
