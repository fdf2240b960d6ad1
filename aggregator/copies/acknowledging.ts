/** What people decide is answered once it is on record in two places, and says so where it is in one alone. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { SecondPlace } from './second-place.ts'

const decided = z.looseObject({ event: z.looseObject({ id: z.string() }) })

/** Adds `singleCopy: true` to such an answer; every answer that bears the event of a decision waits, a second at most. */
export function answerAcknowledged(api: FastifyInstance, copies: Pick<SecondPlace, 'acknowledged'>): void {
  api.addHook('preSerialization', async (request, _reply, payload: unknown) => {
    if (request.method === 'GET') return payload
    const answer = decided.safeParse(payload)
    if (!answer.success || !(await copies.acknowledged(answer.data.event.id))) return payload
    return { ...answer.data, singleCopy: true }
  })
}
