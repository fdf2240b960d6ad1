/** The API's questions about measures: the hours of a node from the history, and what all say of late. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import { StarlingError } from '../../common/errors.ts'
import { CONTAINER_MEASURES, HOUR_MS, MEASURE_NAMES, MINUTE_MS } from '../../inspection/measure-words.ts'
import type { MeasureName, Measures } from '../../inspection/measures.ts'
import type { History, MeasuresQuery } from '../history/history.ts'
import { ProblemError } from '../http/problem.ts'
import { describeRoute, route } from '../http/route.ts'
import { podLabelOf } from './pod-labels.ts'
import type { MeasuredSubject, MeasureSource, PodLabel } from './source.ts'
import { byWorkload, WORKLOAD } from './workloads.ts'

const NAME_CHARS_MAX = 253
/** As many as a 32-bit float has for certain. */
const DIGITS = 6
const NODES_MAX = 100
/** Of all nodes that are asked for together: a year of two nodes, a week of a hundred. */
const HOURS_MAX = 17_520

/** Several are joined by commas. */
const nodes = z
  .string()
  .meta({ description: `several are joined by commas, ${NODES_MAX} at most` })
  .transform((text) => text.split(','))
  .pipe(z.array(z.string().min(1).max(NAME_CHARS_MAX)).max(NODES_MAX))
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

const measure = z.enum(MEASURE_NAMES)
const averages = z.partialRecord(measure, z.number()).meta({ id: 'Measures', description: 'averages by measure' })
const coveredMs = z.number().meta({ description: 'ms of which there are figures' })
const text = z.string()

const HoursQuery = z.strictObject({
  node: nodes,
  from: time.meta({ description: 'RFC 3339: not before' }),
  until: time.meta({ description: 'RFC 3339: before; now by default' }).optional(),
})

const HOURS = describeRoute({
  method: 'GET',
  path: '/api/v1/measures',
  summary: 'Averages of nodes, hour by hour, from the history',
  description: `Of ${HOURS_MAX} hours of all nodes together at most; \`docs/measures.md\` has the measures and their units.`,
  query: HoursQuery,
  answer: z.object({ items: z.array(z.object({ node: text, hour: text, averages })) }),
  errors: { 503: 'the history cannot be read at present' },
  example: { query: 'node=node-4,node-5&from=2026-03-01T00:00:00Z&until=2026-03-08T00:00:00Z' },
})

const DAYS = describeRoute({
  method: 'GET',
  path: '/api/v1/measures/days',
  summary: 'Averages of nodes, day by day in UTC, and the highest average of an hour of each',
  description: `Made of the hours when they are asked for: of ${HOURS_MAX} hours of all nodes together at most.`,
  query: HoursQuery,
  answer: z.object({ items: z.array(z.object({ node: text, day: text, averages, peaks: averages })) }),
  errors: { 503: 'the history cannot be read at present' },
  example: { query: 'node=node-4,node-5&from=2026-03-01T00:00:00Z&until=2026-03-08T00:00:00Z' },
})

const LatestQuery = z.strictObject({
  node: nodes.optional(),
  scope: z.enum(['host', 'container', 'workload']).default('host'),
  over: z
    .string()
    .refine(isDuration, 'write a number and m or h, as in 5m')
    .transform((text) => (isDuration(text) ? durationMs(text) : 0))
    .pipe(z.number().min(MINUTE_MS, 'at least 1m').max(HOUR_MS, 'at most 1h'))
    .prefault('5m')
    .meta({ description: 'a number and m or h, as in 5m; 1h at most' }),
  label: z
    .string()
    .min(1)
    .max(NAME_CHARS_MAX)
    .default(WORKLOAD)
    .meta({ description: 'of pods; of `scope=workload`: by whose value containers belong together' }),
})

const container = z.object({ namespace: text, pod: text, name: text, labels: z.record(text, text) })

const LATEST = describeRoute({
  method: 'GET',
  path: '/api/v1/measures/latest',
  summary: 'Averages of the last minutes, by host, container or workload',
  query: LatestQuery,
  answer: z.object({
    items: z.array(
      z.union([
        z.object({ node: text, pool: text, container: container.exactOptional(), averages, coveredMs }),
        z.object({
          measure,
          namespace: text,
          workload: text,
          sum: z.number(),
          mean: z.number(),
          containers: z.number(),
          coveredMs,
        }),
      ]),
    ),
  }),
  errors: { 503: 'this aggregator does not lead, or the label is not known at present' },
  example: { query: 'node=node-4&over=5m' },
})

export const MEASURE_ROUTES = [HOURS, DAYS, LATEST]

export interface LatestMeasures extends MeasuredSubject {
  readonly averages: Measures
  /** How much of the time there are figures of, of the measure of which most is known. */
  readonly coveredMs: number
}

export interface MeasureRoutesInit {
  readonly history: Pick<History, 'measures' | 'dailyMeasures'>
  readonly source: MeasureSource
  readonly leads: () => boolean
}

export function registerMeasureRoutes(api: FastifyInstance, { history, source, leads }: MeasureRoutesInit): void {
  route(api, HOURS, async ({ query }) => ({ items: await history.measures(boundedOf(query)) }))

  route(api, DAYS, async ({ query }) => ({ items: await history.dailyMeasures(boundedOf(query)) }))

  route(api, LATEST, ({ query: { node, scope, over, label } }) => {
    if (!leads()) throw new StarlingError('this aggregator stands by', { remedy: 'ask the one that leads' })
    const wanted = node && new Set(node)
    const labels = scope === 'host' ? [] : podLabelOf(label)
    // Also while the label is not known: containers are collected from the first question on.
    const items =
      scope === 'workload'
        ? workloads(source, over, label, labels)
        : latest(source, over, scope, labels).filter((one) => wanted?.has(one.node) ?? true)
    const missing = source.missing(labels)
    if (missing !== undefined) throw new StarlingError(`label ${missing.key} of pods is not known: ${missing.why}`)
    return { items }
  })
}

/** Throws a 400 when it is too much at once. */
function boundedOf({ node, from, until = new Date().toISOString() }: z.infer<typeof HoursQuery>): MeasuresQuery {
  const hours = Math.max(0, Date.parse(until) - Date.parse(from)) / HOUR_MS
  if (hours * node.length <= HOURS_MAX) return { nodes: node, from, until }
  const message = `at most ${HOURS_MAX} hours of all nodes together`
  throw new ProblemError({
    status: 400,
    title: 'Invalid input',
    detail: `from: ${message}`,
    errors: [{ field: 'from', message }],
  })
}

function latest(
  source: MeasureSource,
  overMs: number,
  scope: 'host' | 'container',
  labels: readonly PodLabel[],
): readonly LatestMeasures[] {
  const names: readonly MeasureName[] = scope === 'host' ? MEASURE_NAMES : CONTAINER_MEASURES
  const found = new Map<string, LatestMeasures>()
  for (const measure of names) {
    for (const { subject, value, coveredMs } of source.averages(measure, overMs, scope, labels)) {
      const { namespace, pod, name } = subject.container ?? {}
      const key = JSON.stringify([subject.node, namespace, pod, name])
      const known = found.get(key)
      const averages = { ...known?.averages, [measure]: Number(value.toPrecision(DIGITS)) }
      found.set(key, { ...subject, averages, coveredMs: Math.max(coveredMs, known?.coveredMs ?? 0) })
    }
  }
  return [...found.values()]
}

function workloads(source: MeasureSource, overMs: number, label: string, labels: readonly PodLabel[]) {
  return CONTAINER_MEASURES.flatMap((measure) =>
    byWorkload(source.averages(measure, overMs, 'container', labels), label).map((one) => ({ measure, ...one })),
  )
}
