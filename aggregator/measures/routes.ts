/** The API's questions about measures: the hours of a node from the history, and what all say of late. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import { StarlingError } from '../../common/errors.ts'
import { CONTAINER_MEASURES, HOUR_MS, MEASURE_NAMES, MINUTE_MS } from '../../inspection/measure-words.ts'
import type { MeasureName, Measures } from '../../inspection/measures.ts'
import type { History } from '../history/history.ts'
import { ProblemError, parseInput } from '../http/problem.ts'
import type { MeasuredSubject, MeasureSource } from './source.ts'
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
  .transform((text) => text.split(','))
  .pipe(z.array(z.string().min(1).max(NAME_CHARS_MAX)).max(NODES_MAX))
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

const HoursQuery = z
  .strictObject({ node: nodes, from: time, until: time.optional() })
  .transform(({ until = new Date().toISOString(), ...rest }) => ({ ...rest, until }))

const LatestQuery = z.strictObject({
  node: nodes.optional(),
  scope: z.enum(['host', 'container', 'workload']).default('host'),
  over: z
    .string()
    .refine(isDuration, 'write a number and m or h, as in 5m')
    .transform((text) => (isDuration(text) ? durationMs(text) : 0))
    .pipe(z.number().min(MINUTE_MS, 'at least 1m').max(HOUR_MS, 'at most 1h'))
    .prefault('5m'),
  /** With `scope=workload`: by whose value containers belong together. */
  label: z.string().min(1).max(NAME_CHARS_MAX).default(WORKLOAD),
})

export interface LatestMeasures extends MeasuredSubject {
  readonly averages: Measures
  /** How much of the time there are figures of, of the measure of which most is known. */
  readonly coveredMs: number
}

export interface MeasureRoutesInit {
  readonly history: Pick<History, 'measures'>
  readonly source: MeasureSource
  readonly leads: () => boolean
}

export function registerMeasureRoutes(api: FastifyInstance, { history, source, leads }: MeasureRoutesInit): void {
  api.get('/api/v1/measures', async (request) => {
    const { node, from, until } = parseInput(HoursQuery, request.query)
    const hours = Math.max(0, Date.parse(until) - Date.parse(from)) / HOUR_MS
    if (hours * node.length > HOURS_MAX) {
      const message = `at most ${HOURS_MAX} hours of all nodes together`
      throw new ProblemError({
        status: 400,
        title: 'Invalid input',
        detail: `from: ${message}`,
        errors: [{ field: 'from', message }],
      })
    }
    return { items: await history.measures({ nodes: node, from, until }) }
  })

  api.get('/api/v1/measures/latest', async (request) => {
    const { node, scope, over, label } = parseInput(LatestQuery, request.query)
    if (!leads()) throw new StarlingError('this aggregator stands by', { remedy: 'ask the one that leads' })
    const wanted = node && new Set(node)
    if (scope === 'workload') return { items: workloads(source, over, label) }
    const items = latest(source, over, scope)
    return { items: items.filter((one) => wanted?.has(one.node) ?? true) }
  })
}

function latest(source: MeasureSource, overMs: number, scope: 'host' | 'container'): readonly LatestMeasures[] {
  const names: readonly MeasureName[] = scope === 'host' ? MEASURE_NAMES : CONTAINER_MEASURES
  const found = new Map<string, LatestMeasures>()
  for (const measure of names) {
    for (const { subject, value, coveredMs } of source.averages(measure, overMs, scope)) {
      const { namespace, pod, name } = subject.container ?? {}
      const key = JSON.stringify([subject.node, namespace, pod, name])
      const known = found.get(key)
      const averages = { ...known?.averages, [measure]: Number(value.toPrecision(DIGITS)) }
      found.set(key, { ...subject, averages, coveredMs: Math.max(coveredMs, known?.coveredMs ?? 0) })
    }
  }
  return [...found.values()]
}

function workloads(source: MeasureSource, overMs: number, label: string) {
  return CONTAINER_MEASURES.flatMap((measure) =>
    byWorkload(source.averages(measure, overMs, 'container'), label).map((one) => ({ measure, ...one })),
  )
}
