/**
 * What a node is asked of its measures, and what it answers. Figures travel as 32-bit floats in the order of MEASURES, what is
 * not known as no number; whatever is not such an answer, or lies out of bounds, is refused whole.
 */
import { z } from 'zod'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'
import { MEASURES, type MeasureName, type Measures } from './measures.ts'

export const MEASURES_TOPIC = 'measures/latest'

/** Kept on a node, and asked of it at once at most. */
export const MINUTES_MAX = 60
export const HOURS_MAX = 48
/** As many as an agent has places for (detectors/usage/ring.ts). */
const CONTAINERS_MAX = 448
const NAME_CHARS_MAX = 128

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** In the order in which they travel. New ones go to the end. */
export const MEASURE_NAMES = Object.keys(MEASURES) as readonly MeasureName[]
/** Of a container, each in percent: of all processors of its node, and of its limit or else of its node's memory. */
export const CONTAINER_MEASURES = ['cpu', 'memory'] as const satisfies readonly MeasureName[]

const PERCENT = 100
/** Of what is no percentage, more than any host has: a million tasks for each processor, ten terabytes a second. */
const LARGEST: Partial<Record<MeasureName, number>> = { load: 1e6, 'network-in': 1e13, 'network-out': 1e13 }

const ROW_BYTES = MEASURE_NAMES.length * 4
const CONTAINER_BYTES = CONTAINER_MEASURES.length * 4

const questionSchema = z.strictObject({
  /** How many of the last minutes, with the one that runs. */
  minutes: z.int().min(1).max(MINUTES_MAX),
  /** Whole hours later than this one, in hours since 1970. */
  hoursAfter: z.int().min(0),
  containers: z.boolean(),
})
export type MeasureQuestion = z.infer<typeof questionSchema>

const answerSchema = z.strictObject({
  /** Of the minute that runs, counted by a clock of the host that is never set. */
  minute: z.int().min(0),
  /** How much of it has passed. */
  passedMs: z.int().min(0).max(MINUTE_MS),
  /** One row a minute, the one that runs last. */
  rows: z.instanceof(Uint8Array),
  hours: z.array(z.strictObject({ hour: z.int().min(0).max(1e8), row: z.instanceof(Uint8Array) })).max(HOURS_MAX),
  /** Of the last minute that was looked at, counted since 1970 by the host's wall clock. */
  containerMinute: z.int().min(0).max(1e10),
  containers: z
    .array(z.strictObject({ name: z.string().min(1).max(NAME_CHARS_MAX), row: z.instanceof(Uint8Array) }))
    .max(CONTAINERS_MAX),
})

export interface ContainerFigures {
  /** `NAMESPACE/POD/NAME`, or what is known of it. */
  readonly name: string
  readonly figures: Readonly<Partial<Record<(typeof CONTAINER_MEASURES)[number], number>>>
}

export interface MeasureAnswer {
  readonly minute: number
  readonly passedMs: number
  /** Oldest first, without gaps: of a minute of which nothing is known there is nothing in it. The minute that runs is last. */
  readonly minutes: readonly Measures[]
  readonly hours: readonly { readonly hour: number; readonly averages: Measures }[]
  readonly containerMinute: number
  readonly containers: readonly ContainerFigures[]
}

export function encodeQuestion(question: MeasureQuestion): Uint8Array {
  return encodeValue(question)
}

/** Throws an Error for what is no such question. */
export function decodeQuestion(bytes: Uint8Array): MeasureQuestion {
  return decodeValue(questionSchema, bytes)
}

export function encodeAnswer({ minutes, hours, containers, ...rest }: MeasureAnswer): Uint8Array {
  const rows = new Uint8Array(minutes.length * ROW_BYTES)
  for (const [index, minute] of minutes.entries()) rows.set(packed(minute, MEASURE_NAMES), index * ROW_BYTES)
  return encodeValue({
    ...rest,
    rows,
    hours: hours.map(({ hour, averages }) => ({ hour, row: packed(averages, MEASURE_NAMES) })),
    containers: containers.map(({ name, figures }) => ({ name, row: packed(figures, CONTAINER_MEASURES) })),
  })
}

/** As `encodeAnswer`, in at most `bytesMax`: of the containers those that use least of their memory are left out, then the oldest hours. */
export function encodeWithin(answer: MeasureAnswer, bytesMax: number): Uint8Array {
  const fullestFirst = answer.containers.toSorted((a, b) => (b.figures.memory ?? 0) - (a.figures.memory ?? 0))
  for (let [containers, hours] = [fullestFirst, answer.hours]; ; ) {
    const bytes = encodeAnswer({ ...answer, containers, hours })
    if (bytes.length <= bytesMax || (containers.length === 0 && hours.length === 0)) return bytes
    if (containers.length === 0) hours = hours.slice(1)
    containers = containers.slice(0, Math.floor(containers.length * 0.9))
  }
}

/** Throws an Error for what is no such answer, or more than was asked for. */
export function decodeAnswer(bytes: Uint8Array, question: MeasureQuestion): MeasureAnswer {
  const { rows, hours, containers, ...rest } = decodeValue(answerSchema, bytes)
  const count = rows.length / ROW_BYTES
  if (!Number.isInteger(count) || count > question.minutes) throw new RangeError(`${rows.length} bytes of minutes`)
  if (containers.length > 0 && !question.containers) throw new RangeError('containers were not asked for')
  return {
    ...rest,
    minutes: Array.from({ length: count }, (_, index) =>
      unpacked(rows.subarray(index * ROW_BYTES, (index + 1) * ROW_BYTES), MEASURE_NAMES),
    ),
    hours: hours.map(({ hour, row }) => ({ hour, averages: unpacked(ofSize(row, ROW_BYTES), MEASURE_NAMES) })),
    containers: containers.map(({ name, row }) => {
      return { name, figures: unpacked(ofSize(row, CONTAINER_BYTES), CONTAINER_MEASURES) }
    }),
  }
}

/** What a figure of a host cannot be more than. */
export function largest(measure: MeasureName): number {
  return LARGEST[measure] ?? PERCENT
}

function packed(figures: Measures, names: readonly MeasureName[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(names.length * 4))
  for (const [index, name] of names.entries()) view.setFloat32(index * 4, figures[name] ?? Number.NaN, true)
  return new Uint8Array(view.buffer)
}

function unpacked<N extends MeasureName>(row: Uint8Array, names: readonly N[]): Partial<Record<N, number>> {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  const figures: Partial<Record<N, number>> = {}
  for (const [index, name] of names.entries()) {
    const figure = view.getFloat32(index * 4, true)
    if (Number.isNaN(figure)) continue
    if (!(figure >= 0 && figure <= largest(name))) throw new RangeError(`${name} of ${figure}`)
    figures[name] = figure
  }
  return figures
}

function ofSize(row: Uint8Array, bytes: number): Uint8Array {
  if (row.length !== bytes) throw new RangeError(`a row of ${row.length} bytes`)
  return row
}
