/** What people decide is answered once two aggregators have it on record, and says so where one has it alone. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Copies } from './copies.ts'

const decided = z.looseObject({ event: z.looseObject({ id: z.string() }) })

/** Adds `singleCopy: true` to such an answer; every answer that bears the event of a decision waits, a second at most. */
export function answerAcknowledged(api: FastifyInstance, copies: Pick<Copies, 'acknowledged'>): void {
  api.addHook('preSerialization', async (request, _reply, payload: unknown) => {
    if (request.method === 'GET') return payload
    const answer = decided.safeParse(payload)
    if (!answer.success || !(await copies.acknowledged(answer.data.event.id))) return payload
    return { ...answer.data, singleCopy: true }
  })
}
