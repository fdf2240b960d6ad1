/** The API's requests about reports. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { LANGUAGES } from '../../common/languages.ts'
import { timeZone } from '../../remediators/policy/schema.ts'
import { asConflict, parseInput } from '../http/problem.ts'
import type { ReportPreview } from './model.ts'
import type { Reports } from './reports.ts'

const NameParams = z.object({ name: z.string().min(1).max(63) })
const PreviewBody = z.strictObject({ language: z.enum(LANGUAGES).default('en'), zone: timeZone.default('UTC') })

export function registerReportRoutes(api: FastifyInstance, reports: Reports): void {
  api.get('/api/v1/reports', async () => ({ items: reports.list() }))

  // Nothing but an inspection comes of it, which whoever may look may take.
  api.post('/api/v1/reports/:name/preview', { config: { right: 'view' } }, async (request): Promise<ReportPreview> => {
    const { name } = parseInput(NameParams, request.params)
    const { language, zone } = parseInput(PreviewBody, request.body ?? {})
    return { items: await orConflict('No preview', () => reports.preview(name, language, zone)) }
  })

  api.post('/api/v1/reports/:name/send', async (request) => {
    const { name } = parseInput(NameParams, request.params)
    return { event: await orConflict('Not sent', () => reports.send(name, request.caller.name)) }
  })
}

async function orConflict<T>(title: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw asConflict(title, error)
  }
}
