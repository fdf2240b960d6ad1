/** One node's hours of a day as one small blob, the same in every database, and the day that they make. Pure. */
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
  const packed = Buffer.alloc(HOURS * PACKED_MEASURES.length * FLOAT_BYTES)
  for (let at = 0; at < packed.length; at += FLOAT_BYTES) packed.writeFloatLE(Number.NaN, at)
  packed.set((blob ?? []).slice(0, packed.length))
  for (const { hour, averages } of hours) {
    const place = new Date(hour).getUTCHours() * PACKED_MEASURES.length
    for (const [index, name] of PACKED_MEASURES.entries()) {
      packed.writeFloatLE(averages[name] ?? Number.NaN, (place + index) * FLOAT_BYTES)
    }
  }
  return packed
}

/** Hours of which nothing is known are left out. */
export function hoursOf(node: string, day: number, blob: Uint8Array): readonly HourOfMeasures[] {
  const packed = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength)
  const hours: HourOfMeasures[] = []
  for (let hour = 0; hour < HOURS; hour++) {
    const averages: Partial<Record<MeasureName, number>> = {}
    for (const [index, name] of PACKED_MEASURES.entries()) {
      const at = (hour * PACKED_MEASURES.length + index) * FLOAT_BYTES
      const value = at + FLOAT_BYTES > packed.length ? Number.NaN : packed.readFloatLE(at)
      if (!Number.isNaN(value)) averages[name] = value
    }
    if (Object.keys(averages).length === 0) continue
    hours.push({ node, hour: new Date(day * DAY_MS + hour * HOUR_MS).toISOString(), averages })
  }
  return hours
}

/** By node and day, in the order in which they first come. */
export function byDay(hours: readonly HourOfMeasures[]): readonly (readonly HourOfMeasures[])[] {
  const days = new Map<string, HourOfMeasures[]>()
  for (const each of hours) {
    const key = `${dayOf(each.hour)} ${each.node}`
    const day = days.get(key)
    if (day === undefined) days.set(key, [each])
    else day.push(each)
  }
  return [...days.values()]
}

/** `hours`: by node, then hour. */
export function daysOf(hours: readonly HourOfMeasures[]): readonly DayOfMeasures[] {
  return byDay(hours).flatMap((day) => {
    const [first] = day
    if (first === undefined) return []
    const over = (fold: (values: readonly number[]) => number): Measures => {
      const names = Object.keys(MEASURES) as MeasureName[]
      const folded = names.map((name) => [name, day.flatMap(({ averages }) => averages[name] ?? [])] as const)
      return Object.fromEntries(folded.flatMap(([name, values]) => (values.length === 0 ? [] : [[name, fold(values)]])))
    }
    const averages = over((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
    return [{ node: first.node, day: nameOfDay(dayOf(first.hour)), averages, peaks: over((all) => Math.max(...all)) }]
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
