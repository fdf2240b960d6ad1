/** The API's requests about permits: pauses of remediation, and letting go on what failures hold back. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import type { AggregatorPort } from '../model.ts'
import { PAUSE_MS_MAX } from '../permits/pauses.ts'
import { asConflict, parseInput } from './problem.ts'
import { ReleaseBody } from './routes.ts'

/** Whoever decides on fixes also says when none is begun. */
const APPROVE = { config: { right: 'approve' } } as const

const name = z.string().min(1).max(253)
const all = z.strictObject({ kind: z.literal('all') })
const pool = z.strictObject({ kind: z.literal('pool'), name })

const pauseScope = z.discriminatedUnion('kind', [all, pool, z.strictObject({ kind: z.literal('node'), name })])
const releaseScope = z.discriminatedUnion('kind', [all, pool, z.strictObject({ kind: z.literal('reason'), name })])

const length = z
  .string()
  .refine(isDuration, 'write a number and m, h or d, as in 2h')
  .transform((text) => (isDuration(text) ? durationMs(text) : Number.NaN))
  .refine((ms) => ms >= 1_000 && ms <= PAUSE_MS_MAX, 'must be 1s to 30d')

const PauseBody = ReleaseBody.extend({ scope: pauseScope, for: length })
const ResumeBody = ReleaseBody.extend({ scope: pauseScope })
const LetGoBody = ReleaseBody.extend({ scope: releaseScope })

export function registerPermitRoutes(server: FastifyInstance, port: AggregatorPort): void {
  server.get('/api/v1/remediations/pauses', async () => ({ items: port.snapshot().permits.pauses }))

  server.post('/api/v1/remediations/pauses', APPROVE, async (request) => {
    const { for: forMs, ...rest } = parseInput(PauseBody, request.body)
    const { permits } = port
    return { event: await orConflict('Not paused', () => permits.pause({ ...rest, forMs }, request.caller.name)) }
  })

  server.post('/api/v1/remediations/resume', APPROVE, async (request) => {
    const { scope, ...release } = parseInput(ResumeBody, request.body)
    const { permits } = port
    return { event: await orConflict('Not resumed', () => permits.resume(scope, release, request.caller.name)) }
  })

  server.post('/api/v1/remediations/release', APPROVE, async (request) => {
    const { scope, ...release } = parseInput(LetGoBody, request.body)
    const { permits } = port
    return { event: await orConflict('Not released', () => permits.release(scope, release, request.caller.name)) }
  })
}

/** What the aggregator refuses as things stand is a 409. */
async function orConflict<T>(title: string, act: () => Promise<T>): Promise<T> {
  return await act().catch((error: unknown) => {
    throw asConflict(title, error)
  })
}
