/** The API's requests about inspections: take one, see how it goes, and read it in any form. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { UsageError } from '../../common/errors.ts'
import { LANGUAGES } from '../../common/languages.ts'
import { timeZone } from '../../common/time-zone.ts'
import { inspectionPath } from '../../inspection/links.ts'
import { totalOf } from '../../inspection/matrix.ts'
import { COLUMNS, type InspectionRun } from '../../inspection/model.ts'
import { renderCsv } from '../../inspection/render/csv.ts'
import { renderHtml } from '../../inspection/render/html.ts'
import { renderMarkdown } from '../../inspection/render/markdown.ts'
import type { InspectionHead } from '../history/history.ts'
import { shaped } from '../http/answers.ts'
import { asConflict, notFound, ProblemError } from '../http/problem.ts'
import { describeRoute, limitOf, route } from '../http/route.ts'
import type { Inspections } from './inspections.ts'
import type { InspectionAnswer, InspectionSummary } from './model.ts'

type Done = Extract<InspectionAnswer, { kind: 'done' }>

const name = z.string().min(1).max(63)
const names = z.array(name).min(1).max(100)

const done = shaped<Done>(
  'kind `done`, run {id, mesh, profile, origin, sections, troubles, silent…}, deltas or null',
).meta({ id: 'Inspection' })
const running = z
  .object({
    kind: z.literal('running'),
    id: z.string(),
    progress: z.object({ answered: z.number(), of: z.number() }),
  })
  .meta({ id: 'RunningInspection' })

const HISTORY = { 503: 'the history cannot be read at present' }

const TAKE = describeRoute({
  method: 'POST',
  path: '/api/v1/inspections',
  summary: 'Takes an inspection of what nodes have said, or begins a fresh one',
  description: 'A fresh one answers 202 with its id at once; ask for it until it is done.',
  body: z
    .strictObject({
      profile: name.default('default'),
      roles: names.optional(),
      checks: names.optional(),
      /** Whether every node is to look anew, which takes seconds. */
      fresh: z.boolean().default(false),
    })
    .prefault({}),
  // It changes nothing but what is asked of nodes, so whoever may look may inspect.
  right: 'view',
  answer: done,
  status: 201,
  instead: { 202: { when: 'a fresh one was begun', answer: running } },
  errors: { 409: 'nodes cannot be asked at present', 503: 'this aggregator does not lead' },
  example: { body: { roles: ['etcd'], fresh: true } },
})

const LIST = describeRoute({
  method: 'GET',
  path: '/api/v1/inspections',
  summary: 'The inspections that are kept, the newest first, with their counts over all roles',
  query: z.strictObject({ profile: name.optional(), limit: limitOf(200, 50) }),
  answer: z.object({
    items: z.array(
      z.object({
        id: z.string(),
        mesh: z.string(),
        profile: z.string(),
        origin: z.enum(['state', 'fresh']),
        startedAt: z.string(),
        finishedAt: z.string(),
        nodes: z.number(),
        leftOut: z.number().exactOptional(),
        counts: z.record(z.enum(COLUMNS), z.number()),
      }),
    ),
  }),
  errors: HISTORY,
})

const READ = describeRoute({
  method: 'GET',
  path: '/api/v1/inspections/:id',
  summary: 'One inspection, with what changed since the one before',
  description: 'As Markdown, HTML or CSV it has no tag.',
  params: z.object({ id: z.string().min(1).max(200) }),
  query: z.strictObject({
    format: z.enum(['json', 'md', 'html', 'csv']).default('json'),
    lang: z.enum(LANGUAGES).default('en'),
    zone: timeZone.default('UTC'),
  }),
  answer: done,
  instead: { 202: { when: 'it is under way: how many of the nodes have answered', answer: running } },
  tagged: true,
  errors: { 404: 'there is none', 409: 'it failed', ...HISTORY },
})

export const INSPECTION_ROUTES = [TAKE, LIST, READ]

/** Only styles within the document: it is made of what nodes say. */
const HTML_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function registerInspectionRoutes(api: FastifyInstance, inspections: Inspections): void {
  route(api, TAKE, async ({ body: { profile, roles, checks, fresh }, reply }) => {
    const order = { profile, ...(roles && { roles }), ...(checks && { checks }) }
    try {
      if (fresh) return await reply.code(202).send(inspections.begin(order))
      return await reply.code(201).send(await answerOf(await inspections.take(order), inspections))
    } catch (error) {
      if (error instanceof UsageError) throw unknownName(error)
      throw fresh ? asConflict('Not inspected', error) : error
    }
  })

  route(api, LIST, async ({ query: { limit, profile } }) => ({
    items: (await inspections.list(limit, profile)).map(summaryOf),
  }))

  route(api, READ, async ({ params: { id }, query: { format, lang, zone }, reply }) => {
    const state = await inspections.state(id)
    if (state === null) throw notFound(`there is no inspection "${id}"`)
    if (state.kind === 'running') return await reply.code(202).send(state)
    if (state.kind === 'failed') throw new ProblemError({ status: 409, title: 'Not inspected', detail: state.why })
    const { run } = state
    if (format === 'json') return await answerOf(run, inspections)
    const deltas = await inspections.deltas(run)
    const options = { language: lang, zone, link: inspectionPath, ...(deltas && { deltas }) }
    return sendAs(reply, format, run, options)
  })
}

function sendAs(
  reply: FastifyReply,
  format: 'md' | 'html' | 'csv',
  run: InspectionRun,
  options: Parameters<typeof renderMarkdown>[1],
): FastifyReply {
  switch (format) {
    case 'md':
      return reply.type('text/markdown; charset=utf-8').send(renderMarkdown(run, options))
    case 'csv':
      return reply.type('text/csv; charset=utf-8').send(renderCsv(run, options))
    case 'html':
      reply.header('content-security-policy', HTML_POLICY)
      return reply.type('text/html; charset=utf-8').send(renderHtml(run, options))
  }
}

async function answerOf(run: InspectionRun, inspections: Inspections): Promise<Done> {
  return { kind: 'done', run, deltas: (await inspections.deltas(run)) ?? null }
}

/** A run in a list: its counts, without each check. */
function summaryOf({ sections, ...about }: InspectionHead): InspectionSummary {
  return { ...about, counts: totalOf(sections.flatMap(({ checks }) => checks)) }
}

function unknownName({ message, remedy }: UsageError): ProblemError {
  const field = ['profile', 'role', 'check'].find((word) => message.includes(`no ${word} `)) ?? 'body'
  const errors = [{ field: field === 'profile' ? field : `${field}s`, message }]
  return new ProblemError({
    status: 400,
    title: 'Invalid input',
    detail: message,
    ...(remedy === undefined ? {} : { remedy }),
    errors,
  })
}
