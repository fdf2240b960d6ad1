/** The API's requests about the trail of the history: whoever has it checks it for themselves. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Trail } from '../audit/trail.ts'
import { parseInput } from './problem.ts'

const PageQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) })

export function registerAuditRoutes(server: FastifyInstance, trail: Trail): void {
  server.get('/api/v1/audit', async () => trail.frame())

  server.get('/api/v1/audit/events', async (request) => ({
    items: await trail.rows(parseInput(PageQuery, request.query).after),
  }))

  server.get('/api/v1/audit/heads', async (request) => ({
    items: await trail.signed(parseInput(PageQuery, request.query).after),
  }))
}
