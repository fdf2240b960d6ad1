/** What is asked of the ring, and what it answers: bounded to a few KB however much it holds. */
import { z } from 'zod'
import { FIGURES, type FigureName, pack, UNIT_OF, unpack } from './figures.ts'
import { MINUTES, NAME_MAX, type UsageRing } from './ring.ts'
import { NODE } from './subjects.ts'

/** Columns of the picture in a terminal. */
const POINTS_MAX = 48
const SUBJECTS_MAX = 8
/** Of each of processor time and memory, beside the node. */
const WORST = 3

export const usageQuerySchema = z.strictObject({
  /** Part of a name; empty: the node and its worst. */
  subject: z.string().max(NAME_MAX).default(''),
  minutes: z.coerce.number().int().min(1).max(MINUTES).default(60),
})
export type UsageQuery = z.infer<typeof usageQuerySchema>

/** An answer whose points are of this form. */
const answerOf = <T extends z.ZodType>(point: T) =>
  z.strictObject({
    node: z.string().min(1).max(253),
    /** Of the host's clock, RFC 3339: the first and the last minute that is in it. Null before there is one. */
    from: z.iso.datetime().nullable(),
    to: z.iso.datetime().nullable(),
    /** Minutes that one point stands for; it is their mean. */
    step: z.number().int().min(1).max(MINUTES),
    /** How many subjects the ring holds, and how many of them were asked for. */
    held: z.number().int().min(0),
    matching: z.number().int().min(0),
    subjects: z
      .array(
        z.strictObject({
          name: z.string().max(NAME_MAX),
          figures: z.partialRecord(z.enum(FIGURES), z.array(point).max(POINTS_MAX)),
        }),
      )
      .max(SUBJECTS_MAX),
  })

/** As people and programs get it; null where nothing is known. */
export const usageAnswerSchema = answerOf(z.number().min(0).nullable())
/** As it travels: each point in the two bytes in which it was kept. */
export const packedAnswerSchema = answerOf(z.number().int().min(0).max(0xffff))
type PackedAnswer = z.infer<typeof packedAnswerSchema>
export type UsageAnswer = z.infer<typeof usageAnswerSchema>

export function packAnswer(answer: UsageAnswer): PackedAnswer {
  return withPoints(answer, (value: number | null) => pack(value ?? undefined))
}

export function unpackAnswer(answer: PackedAnswer): UsageAnswer {
  return withPoints(answer, (code: number) => {
    const value = unpack(code)
    return value === undefined ? null : rounded(value)
  })
}

function withPoints<A, B>(
  answer: Omit<UsageAnswer, 'subjects'> & { readonly subjects: readonly SubjectOf<A>[] },
  change: (point: A) => B,
) {
  const subjects = answer.subjects.map(({ name, figures }) => ({
    name,
    figures: Object.fromEntries(
      Object.entries(figures).map(([figure, points]) => [figure, (points ?? []).map(change)]),
    ) as Partial<Record<FigureName, B[]>>,
  }))
  return { ...answer, subjects }
}

interface SubjectOf<P> {
  readonly name: string
  readonly figures: Partial<Record<FigureName, readonly P[] | undefined>>
}

export function answerUsage(node: string, ring: UsageRing, { subject, minutes }: UsageQuery): UsageAnswer {
  const { names } = ring
  const times = ring.series(NODE, 'cpu', minutes).minutes
  const step = Math.max(1, Math.ceil(times.length / POINTS_MAX))
  const wanted = subject === '' ? worstOf(ring, minutes) : names.filter((name) => name.includes(subject)).sort()
  const [first, last] = [times.at(0), times.at(-1)]
  return {
    node,
    from: first === undefined ? null : wallTime(first),
    to: last === undefined ? null : wallTime(last),
    step,
    held: names.length,
    matching: subject === '' ? names.length : wanted.length,
    subjects: wanted.slice(0, SUBJECTS_MAX).map((name) => ({
      name,
      figures: Object.fromEntries(
        FIGURES.map((figure) => [figure, means(ring.series(name, figure, minutes).values, step)] as const).filter(
          ([, values]) => values.some((value) => value !== null),
        ),
      ),
    })),
  }
}

/** The node, and those that used most of it, without twice the same. */
function worstOf(ring: UsageRing, minutes: number): readonly string[] {
  const most = (['cpu', 'memory'] as const).flatMap((figure) => worstBy(ring, figure, minutes, WORST))
  return [...new Set([NODE, ...most])].filter((name) => ring.names.includes(name))
}

/** The containers and services that used most of it in the last minutes, on average over those in which they were seen. */
export function worstBy(ring: UsageRing, figure: FigureName, minutes: number, count: number): readonly string[] {
  const means = ring.names
    .filter((name) => name !== NODE)
    .map((name) => ({ name, mean: meanOf(ring.series(name, figure, minutes).values) ?? 0 }))
  return means
    .filter(({ mean }) => mean > 0)
    .toSorted((a, b) => b.mean - a.mean)
    .slice(0, count)
    .map(({ name }) => name)
}

/** Three digits, two below one: more is noise, and would not survive the two bytes of a figure. */
export function rounded(value: number): number {
  return Number(value < 1 ? value.toFixed(2) : value.toPrecision(3))
}

export function means(values: readonly (number | undefined)[], step: number): (number | null)[] {
  const points = Array.from({ length: Math.ceil(values.length / step) }, (_, index) =>
    meanOf(values.slice(index * step, (index + 1) * step)),
  )
  return points.map((mean) => (mean === undefined ? null : rounded(mean)))
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length
}

const wallTime = (minute: number) => new Date(minute * 60_000).toISOString()

const BARS = '▁▂▃▄▅▆▇█'

/** One character a point, from zero to `most`, or to the largest of them; a blank where nothing is known. */
export function sparkline(values: readonly (number | null | undefined)[], most = largestOf(values)): string {
  return values
    .map((value) => (value == null ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))]))
    .join('')
}

function largestOf(values: readonly (number | null | undefined)[]): number {
  return Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE)
}

/** As a person reads it: `250m`, `1.25` processors, `310 MiB`, `4.1 MiB/s`. */
export function shownFigure(figure: FigureName, value: number): string {
  if (figure === 'cpu') return value < 1_000 ? `${Math.round(value)}m` : (value / 1_000).toFixed(2)
  const unit = UNIT_OF[figure]
  const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log(value) / Math.log(1024)))
  return `${(value / 1024 ** power).toPrecision(3)} ${['', 'Ki', 'Mi', 'Gi', 'Ti'][power]}${unit}`
}
