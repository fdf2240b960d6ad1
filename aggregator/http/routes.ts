/** The API's plain requests. What they answer is in model.ts; see stream.ts for the one that does not end. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { StarlingError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { detectorName } from '../../detectors/recording/notes.ts'
import { usageQuerySchema } from '../../detectors/usage/notes.ts'
import { SIGNED_SETTINGS_BYTES_MAX } from '../../settings/signed.ts'
import { rolloutPart } from '../../settings/stages.ts'
import { type AggregatorPort, EVENT_KINDS, type EventQuery, type VerdictView } from '../model.ts'
import type { NodeDesks } from '../node-desks.ts'
import { asConflict, notFound, ProblemError, parseInput } from './problem.ts'

const EVENTS_LIMIT_DEFAULT = 200
const NAME_CHARS_MAX = 253

const seq = z.coerce.number().int().min(0)
const EventsQuery = z.strictObject({
  after: seq.optional(),
  before: seq.optional(),
  node: z.string().min(1).max(NAME_CHARS_MAX).optional(),
  /** Several are joined by commas. */
  kind: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(EVENT_KINDS)))
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(EVENTS_LIMIT_DEFAULT),
})

const DecisionBody = z.strictObject({
  action: z.enum(['approve', 'reject']),
  reason: z.string().max(500).default(''),
  via: z.enum(['page', 'cli', 'api']),
})

/** Several are joined by commas. */
const MatrixQuery = z.strictObject({
  node: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().min(1).max(NAME_CHARS_MAX)))
    .optional(),
})

const PlanQuery = z.strictObject({ since: z.iso.datetime({ offset: true }) })

/** A person's word, with why. */
export const ReleaseBody = z.strictObject({
  reason: z.string().trim().min(1, 'say why, it is kept with the decision').max(500),
  via: z.enum(['page', 'cli', 'api']).default('api'),
})

/** The document is checked where it is taken in, so that a mistake in it is told of as in a file. */
const ProposalBody = z.strictObject({
  document: z.unknown(),
  rollout: rolloutPart.optional(),
  via: z.enum(['page', 'cli', 'api']).default('api'),
})

/** A document that just fits, as JSON, and what comes with it. */
const PROPOSAL_BYTES_MAX = 2 * SIGNED_SETTINGS_BYTES_MAX

const RollbackBody = ReleaseBody.extend({ version: z.int().min(1).optional() })

const NodeParams = z.object({ node: z.string().min(1).max(NAME_CHARS_MAX) })
const DetectorParams = z.object({ name: detectorName })
const RecordingBody = z.strictObject({ detector: detectorName })
const IdParams = z.object({ id: z.string().min(1).max(200) })

export function registerRoutes(server: FastifyInstance, port: AggregatorPort, desks: NodeDesks): void {
  server.get('/api/v1/me', async ({ caller }) => caller)

  server.get('/api/v1/state', async () => port.snapshot())

  server.get('/api/v1/events', async (request) => {
    const { kind, ...rest } = parseInput(EventsQuery, request.query)
    // The model's optional fields are absent rather than undefined.
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
    const query = { ...given, limit: rest.limit, ...(kind === undefined ? {} : { kinds: kind }) } satisfies EventQuery
    return { items: port.events(query) }
  })

  server.get('/api/v1/explain/:node', async (request) => {
    const { node } = parseInput(NodeParams, request.params)
    const explanation = port.explain(node)
    if (explanation !== null) return explanation
    throw noSuchNode(
      node,
      port.snapshot().members.map((member) => member.node),
    )
  })

  server.get('/api/v1/mesh/matrix', async (request) => {
    const { node: wanted } = parseInput(MatrixQuery, request.query)
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

  server.get('/api/v1/usage/:node', async (request) => {
    const { node } = parseInput(NodeParams, request.params)
    const query = parseInput(usageQuerySchema, request.query)
    requireMember(port, node)
    return await orGone(() => desks.usage.ask(node, query))
  })

  server.post('/api/v1/recordings/:node', async (request) => {
    const { node } = parseInput(NodeParams, request.params)
    const query = parseInput(RecordingBody, request.body)
    requireMember(port, node)
    request.log.info({ node, detector: query.detector, by: request.caller.name }, 'a recording was asked for')
    const answer = await orGone(() => desks.recordings.ask(node, query))
    if ('packed' in answer) return { node, ...query, packed: Buffer.from(answer.packed).toString('base64') }
    const { refused: detail, remedy } = answer
    throw new ProblemError({ status: 409, title: 'Not recorded', detail, remedy })
  })

  server.get('/api/v1/marking/plan', async (request) => {
    const { since } = parseInput(PlanQuery, request.query)
    return { items: port.markingPlan(new Date(since).toISOString()) }
  })

  server.get('/api/v1/remediations/plan', async (request) => {
    const { since } = parseInput(PlanQuery, request.query)
    return port.remediationPlan(new Date(since).toISOString())
  })

  server.post('/api/v1/mesh/release', async (request) => {
    const release = parseInput(ReleaseBody, request.body)
    return { event: orConflict('Not released', () => port.release(release, request.caller.name)) }
  })

  server.post('/api/v1/roster/release', async (request) => {
    const release = parseInput(ReleaseBody, request.body)
    return { event: orConflict('Not released', () => port.releaseRoster(release, request.caller.name)) }
  })

  server.get('/api/v1/settings', async () => port.settings.detail())

  server.post('/api/v1/settings', { bodyLimit: PROPOSAL_BYTES_MAX }, async (request) => {
    const { document, rollout, via } = parseInput(ProposalBody, request.body)
    const proposal = { document, via, ...(rollout === undefined ? {} : { rollout }) }
    const { settings } = port
    return { event: orConflict('Not taken', () => settings.propose(proposal, request.caller.name)) }
  })

  server.post('/api/v1/settings/rollback', async (request) => {
    const { version, ...rest } = parseInput(RollbackBody, request.body)
    const rollback = { ...rest, ...(version === undefined ? {} : { version }) }
    const { settings } = port
    return { event: orConflict('Not rolled back', () => settings.rollBack(rollback, request.caller.name)) }
  })

  server.post('/api/v1/detectors/:name/release', async (request) => {
    const { name } = parseInput(DetectorParams, request.params)
    const release = parseInput(ReleaseBody, request.body)
    const { settings } = port
    return { event: orConflict('Not released', () => settings.release(name, release, request.caller.name)) }
  })

  server.post('/api/v1/remediations/:id/decision', { config: { right: 'approve' } }, async (request) => {
    const { id } = parseInput(IdParams, request.params)
    const { action, reason, via } = parseInput(DecisionBody, request.body)
    if (!port.snapshot().remediations.some(({ plan }) => plan.id === id)) throw notFound(`no remediation "${id}"`)
    return {
      event: orConflict('Not decided', () => port.decide({ planId: id, action, reason, via }, request.caller.name)),
    }
  })

  server.get('/api/v1/verdicts/:id', async (request) => findVerdict(port, request.params))

  server.get('/api/v1/verdicts/:id/certificate', async (request, reply) => {
    const verdict = findVerdict(port, request.params)
    if (verdict.certificate === '')
      throw notFound('its certificate has not reached this aggregator, which took it over')
    const name = `verdict-${verdict.id.replaceAll(/[^\w.-]/g, '_').slice(0, 80)}.cbor`
    return reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename="${name}"`)
      .send(Buffer.from(verdict.certificate, 'base64'))
  })
}

/** What the aggregator refuses as things stand is a 409. */
function orConflict<T>(title: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw asConflict(title, error)
  }
}

/** What a node did not answer in time is a 504. */
async function orGone<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    const remedy = error.remedy === undefined ? {} : { remedy: error.remedy }
    throw new ProblemError({ status: 504, title: 'No answer', detail: error.message, ...remedy })
  }
}

function requireMember(port: AggregatorPort, node: string): void {
  const known = port.snapshot().members.map((member) => member.node)
  if (!known.includes(node)) throw noSuchNode(node, known)
}

function noSuchNode(node: string, known: readonly string[]): ProblemError {
  const meant = nearest(node, known)
  const message = `no node "${node}" in this mesh${meant === undefined ? '' : `; did you mean ${meant}?`}`
  return notFound(message, { remedy: '`starling members` lists them', errors: [{ field: 'node', message }] })
}

function findVerdict(port: AggregatorPort, params: unknown): VerdictView {
  const { id } = parseInput(IdParams, params)
  const verdict = port.snapshot().verdicts.find((known) => known.id === id)
  if (verdict === undefined) throw notFound(`no verdict "${id}"`)
  return verdict
}
