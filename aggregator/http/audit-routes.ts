/** The API's requests about the trail of the history: whoever has it checks it for themselves. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { TRAIL_PAGE, type Trail } from '../audit/trail.ts'
import { describeRoute, route } from './route.ts'

const PageQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) })

const text = z.string()
const number = z.number()

const row = z
  .object({
    seq: number,
    id: text,
    at: text,
    kind: text,
    node: text,
    tone: text,
    summary: text,
    causedBy: text,
    data: text.meta({ description: 'JSON text, just as it is stored' }),
    hash: text.nullable(),
  })
  .meta({ id: 'ChainedRow' })

const head = z
  .object({ number, first: number, seq: number, hash: text, at: text, node: text, signer: text, signature: text })
  .meta({ id: 'SignedHead' })

const FRAME = describeRoute({
  method: 'GET',
  path: '/api/v1/audit',
  summary: 'What the links and heads of the history must fit',
  answer: z.object({ first: number, before: text.exactOptional(), earlier: number, given: number, heads: number }),
})

const ROWS = describeRoute({
  method: 'GET',
  path: '/api/v1/audit/events',
  summary: `Links of the history after a place, lowest first, ${TRAIL_PAGE} at most`,
  query: PageQuery,
  answer: z.object({ items: z.array(row) }),
})

const HEADS = describeRoute({
  method: 'GET',
  path: '/api/v1/audit/heads',
  summary: `Signed heads after a number, lowest first, ${TRAIL_PAGE} at most`,
  query: PageQuery,
  answer: z.object({ items: z.array(head) }),
})

export const AUDIT_ROUTES = [FRAME, ROWS, HEADS]

export function registerAuditRoutes(server: FastifyInstance, trail: Trail): void {
  route(server, FRAME, () => trail.frame())
  route(server, ROWS, async ({ query }) => ({ items: await trail.rows(query.after) }))
  route(server, HEADS, async ({ query }) => ({ items: await trail.signed(query.after) }))
}
