/** The API's requests about fixes: decisions on plans, pauses of remediation, and letting go on what failures hold back. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import type { AggregatorPort } from '../model.ts'
import { PAUSE_MS_MAX } from '../permits/pauses.ts'
import { decided } from './answers.ts'
import { IdParams, PlanQuery, ReleaseBody, via } from './inputs.ts'
import { asConflict, notFound } from './problem.ts'
import { orConflict } from './refusals.ts'
import { describeRoute, route } from './route.ts'
import { pause, remediationReport } from './state-answers.ts'

/** Whoever decides on fixes also says when none is begun. */
const APPROVE = 'approve'

const name = z.string().min(1).max(253)
const all = z.strictObject({ kind: z.literal('all') })
const pool = z.strictObject({ kind: z.literal('pool'), name })

const pauseScope = z.discriminatedUnion('kind', [all, pool, z.strictObject({ kind: z.literal('node'), name })])
const releaseScope = z.discriminatedUnion('kind', [all, pool, z.strictObject({ kind: z.literal('reason'), name })])

const length = z
  .string()
  .meta({ description: 'a number and m, h or d, as in 2h; 30d at most' })
  .refine(isDuration, 'write a number and m, h or d, as in 2h')
  .transform((text) => (isDuration(text) ? durationMs(text) : Number.NaN))
  .refine((ms) => ms >= 1_000 && ms <= PAUSE_MS_MAX, 'must be 1s to 30d')

const DecisionBody = z.strictObject({
  action: z.enum(['approve', 'reject']),
  reason: z.string().max(500).default(''),
  via,
})

const CONFLICT = { 409: 'as things stand', 503: 'this aggregator does not lead' }

const DECIDE = describeRoute({
  method: 'POST',
  path: '/api/v1/remediations/:id/decision',
  summary: 'Approve or reject a plan that waits',
  params: IdParams,
  body: DecisionBody,
  answer: decided,
  right: APPROVE,
  errors: { 404: 'no such plan', 409: 'it does not wait any more', 503: CONFLICT[503] },
  example: { params: { id: 'PLAN' }, body: { action: 'approve', reason: 'checked with the team', via: 'api' } },
})

const PLAN = describeRoute({
  method: 'GET',
  path: '/api/v1/remediations/plan',
  summary: 'What remediation did and would have done since a time',
  query: PlanQuery,
  answer: remediationReport,
  example: { query: 'since=2026-03-01T00:00:00Z' },
})

const PAUSES = describeRoute({
  method: 'GET',
  path: '/api/v1/remediations/pauses',
  summary: 'Pauses that hold',
  answer: z.object({ items: z.array(pause) }),
  errors: { 503: CONFLICT[503] },
})

const PAUSE = describeRoute({
  method: 'POST',
  path: '/api/v1/remediations/pauses',
  summary: 'Begin no fix for a while',
  body: ReleaseBody.extend({ scope: pauseScope, for: length }),
  answer: decided,
  right: APPROVE,
  errors: CONFLICT,
  example: { body: { scope: { kind: 'pool', name: 'gpu' }, for: '2h', reason: 'the racks are being rewired' } },
})

const RESUME = describeRoute({
  method: 'POST',
  path: '/api/v1/remediations/resume',
  summary: 'End the pause of just this scope',
  body: ReleaseBody.extend({ scope: pauseScope }),
  answer: decided,
  right: APPROVE,
  errors: CONFLICT,
  example: { body: { scope: { kind: 'pool', name: 'gpu' }, reason: 'done' } },
})

const LET_GO = describeRoute({
  method: 'POST',
  path: '/api/v1/remediations/release',
  summary: 'Let failures and spreads of a scope hold nothing back any more',
  body: ReleaseBody.extend({ scope: releaseScope }),
  answer: decided,
  right: APPROVE,
  errors: CONFLICT,
  example: { body: { scope: { kind: 'all' }, reason: 'the cause was found' } },
})

export const PERMIT_ROUTES = [PLAN, DECIDE, PAUSES, PAUSE, RESUME, LET_GO]

export function registerPermitRoutes(server: FastifyInstance, port: AggregatorPort): void {
  route(server, PLAN, ({ query }) => port.remediationPlan(new Date(query.since).toISOString()))

  route(server, DECIDE, ({ params: { id }, body: { action, reason, via }, caller }) => {
    if (!port.snapshot().remediations.some(({ plan }) => plan.id === id)) throw notFound(`no remediation "${id}"`)
    return {
      event: orConflict('Not decided', () => port.decide({ planId: id, action, reason, via }, caller.name)),
    }
  })

  route(server, PAUSES, () => ({ items: port.snapshot().permits.pauses }))

  route(server, PAUSE, async ({ body: { for: forMs, ...rest }, caller }) => {
    const { permits } = port
    return { event: await orConflictLater('Not paused', () => permits.pause({ ...rest, forMs }, caller.name)) }
  })

  route(server, RESUME, async ({ body: { scope, ...release }, caller }) => {
    const { permits } = port
    return { event: await orConflictLater('Not resumed', () => permits.resume(scope, release, caller.name)) }
  })

  route(server, LET_GO, async ({ body: { scope, ...release }, caller }) => {
    const { permits } = port
    return { event: await orConflictLater('Not released', () => permits.release(scope, release, caller.name)) }
  })
}

/** As orConflict, for what is decided in time. */
async function orConflictLater<T>(title: string, act: () => Promise<T>): Promise<T> {
  return await act().catch((error: unknown) => {
    throw asConflict(title, error)
  })
}
