/** The API's plain requests about nodes and the mesh. What they answer is in model.ts; stream.ts has the one that does not end. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { detectorName } from '../../detectors/recording/notes.ts'
import { usageQuerySchema } from '../../detectors/usage/notes.ts'
import type { AggregatorPort, VerdictView } from '../model.ts'
import type { NodeDesks } from '../node-desks.ts'
import { caller, decided, explanation, matrixRow, usageAnswer, verdict, wouldBeMark } from './answers.ts'
import { IdParams, listOf, NodeParams, nodeName, PlanQuery, ReleaseBody } from './inputs.ts'
import { notFound, ProblemError } from './problem.ts'
import { noSuchNode, orConflict, orGone } from './refusals.ts'
import { describeRoute, route } from './route.ts'
import { state } from './state-answers.ts'

const LEADS = 'this aggregator does not lead'
const node4 = { params: { node: 'node-4' } }

const ME = describeRoute({
  method: 'GET',
  path: '/api/v1/me',
  summary: 'Whose token this is, and what it may do',
  answer: caller,
})

const STATE = describeRoute({
  method: 'GET',
  path: '/api/v1/state',
  summary: 'All that is so at present: members, findings, verdicts, remediations, permits, settings',
  answer: state,
  tagged: true,
  errors: { 503: LEADS },
})

const EXPLAIN = describeRoute({
  method: 'GET',
  path: '/api/v1/explain/:node',
  summary: 'What a node is now, and the chains of events that led to it',
  params: NodeParams,
  answer: explanation,
  errors: { 404: 'no such node', 503: LEADS },
  example: node4,
})

const MATRIX = describeRoute({
  method: 'GET',
  path: '/api/v1/mesh/matrix',
  summary: 'Who sees whom',
  query: z.strictObject({ node: listOf(nodeName).optional() }),
  answer: z.object({ items: z.array(matrixRow) }),
  errors: { 404: 'no such node', 503: LEADS },
  example: { query: 'node=node-4,node-5' },
})

const USAGE = describeRoute({
  method: 'GET',
  path: '/api/v1/usage/:node',
  summary: 'Who used what on a node in the last minutes; the node itself is asked',
  params: NodeParams,
  query: usageQuerySchema,
  answer: usageAnswer,
  errors: { 404: 'no such node', 503: LEADS, 504: 'the node does not answer' },
  example: { ...node4, query: 'minutes=30' },
})

const RECORD = describeRoute({
  method: 'POST',
  path: '/api/v1/recordings/:node',
  summary: 'A recording of what a detector reads on a node, redacted',
  params: NodeParams,
  body: z.strictObject({ detector: detectorName }),
  answer: z.object({
    node: z.string(),
    detector: z.string(),
    packed: z.string().meta({ description: 'base64; `starling detectors record` unpacks it' }),
  }),
  errors: { 404: 'no such node', 409: 'the node refuses', 503: LEADS, 504: 'the node does not answer' },
  example: { ...node4, body: { detector: 'conntrack' } },
})

const MARKING_PLAN = describeRoute({
  method: 'GET',
  path: '/api/v1/marking/plan',
  summary: 'Each verdict since a time, with what marking made of it or would have',
  query: PlanQuery,
  answer: z.object({ items: z.array(wouldBeMark) }),
  example: { query: 'since=2026-03-01T00:00:00Z' },
})

const RELEASE_MESH = describeRoute({
  method: 'POST',
  path: '/api/v1/mesh/release',
  summary: 'End a freeze of the brake',
  body: ReleaseBody,
  answer: decided,
  errors: { 409: 'nothing is frozen', 503: LEADS },
  example: { body: { reason: 'the switch was replaced' } },
})

const RELEASE_ROSTER = describeRoute({
  method: 'POST',
  path: '/api/v1/roster/release',
  summary: 'Let changes of the roster through that wait for a person',
  body: ReleaseBody,
  answer: decided,
  errors: { 409: 'nothing waits', 503: LEADS },
  example: { body: { reason: 'the rack was taken away' } },
})

const VERDICT = describeRoute({
  method: 'GET',
  path: '/api/v1/verdicts/:id',
  summary: 'A verdict with its votes',
  params: IdParams,
  answer: verdict,
  errors: { 404: 'no such verdict', 503: LEADS },
  example: { params: { id: 'VERDICT' } },
})

const CERTIFICATE = describeRoute({
  method: 'GET',
  path: '/api/v1/verdicts/:id/certificate',
  summary: 'The signed votes of a verdict: whoever has the CA of the mesh can check them',
  params: IdParams,
  answerType: 'application/octet-stream',
  errors: { 404: 'no such verdict, or only another aggregator has its certificate', 503: LEADS },
  example: { params: { id: 'VERDICT' } },
})

export const MESH_ROUTES = [
  ME,
  STATE,
  EXPLAIN,
  MATRIX,
  USAGE,
  RECORD,
  MARKING_PLAN,
  RELEASE_MESH,
  RELEASE_ROSTER,
  VERDICT,
  CERTIFICATE,
]

export function registerRoutes(server: FastifyInstance, port: AggregatorPort, desks: NodeDesks): void {
  route(server, ME, (call) => call.caller)

  route(server, STATE, () => port.snapshot())

  route(server, EXPLAIN, ({ params: { node } }) => {
    const explained = port.explain(node)
    if (explained === null) throw noSuchNode(node, membersOf(port))
    return explained
  })

  route(server, MATRIX, ({ query: { node: wanted } }) => {
    const rows = port.matrix()
    if (wanted === undefined) return { items: rows }
    const bySubject = new Map(rows.map((row) => [row.subject, row]))
    return {
      items: wanted.map((node) => {
        const row = bySubject.get(node)
        if (row === undefined) throw noSuchNode(node, [...bySubject.keys()])
        return row
      }),
    }
  })

  route(server, USAGE, async ({ params: { node }, query }) => {
    requireMember(port, node)
    return await orGone(() => desks.usage.ask(node, query))
  })

  route(server, RECORD, async ({ params: { node }, body: query, request, caller }) => {
    requireMember(port, node)
    request.log.info({ node, detector: query.detector, by: caller.name }, 'a recording was asked for')
    const answer = await orGone(() => desks.recordings.ask(node, query))
    if ('packed' in answer) return { node, ...query, packed: Buffer.from(answer.packed).toString('base64') }
    const { refused: detail, remedy } = answer
    throw new ProblemError({ status: 409, title: 'Not recorded', detail, remedy })
  })

  route(server, MARKING_PLAN, ({ query: { since } }) => ({
    items: port.markingPlan(new Date(since).toISOString()),
  }))

  route(server, RELEASE_MESH, ({ body, caller }) => ({
    event: orConflict('Not released', () => port.release(body, caller.name)),
  }))

  route(server, RELEASE_ROSTER, ({ body, caller }) => ({
    event: orConflict('Not released', () => port.releaseRoster(body, caller.name)),
  }))

  route(server, VERDICT, ({ params }) => findVerdict(port, params.id))

  route(server, CERTIFICATE, ({ params, reply }) => {
    const found = findVerdict(port, params.id)
    if (found.certificate === '') throw notFound('its certificate has not reached this aggregator, which took it over')
    const name = `verdict-${found.id.replaceAll(/[^\w.-]/g, '_').slice(0, 80)}.cbor`
    return reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename="${name}"`)
      .send(Buffer.from(found.certificate, 'base64'))
  })
}

function membersOf(port: AggregatorPort): readonly string[] {
  return port.snapshot().members.map((member) => member.node)
}

function requireMember(port: AggregatorPort, node: string): void {
  const known = membersOf(port)
  if (!known.includes(node)) throw noSuchNode(node, known)
}

function findVerdict(port: AggregatorPort, id: string): VerdictView {
  const found = port.snapshot().verdicts.find((known) => known.id === id)
  if (found === undefined) throw notFound(`no verdict "${id}"`)
  return found
}
