/** The API's requests about reports. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { LANGUAGES } from '../../common/languages.ts'
import { timeZone } from '../../common/time-zone.ts'
import { decided } from '../http/answers.ts'
import { asConflict } from '../http/problem.ts'
import { describeRoute, route } from '../http/route.ts'
import type { Reports } from './reports.ts'

const text = z.string()
const params = z.object({ name: z.string().min(1).max(63) })

const LIST = describeRoute({
  method: 'GET',
  path: '/api/v1/reports',
  summary: 'Which reports there are, when each is due next, and where it goes',
  answer: z.object({
    items: z.array(
      z.object({
        name: text,
        kind: z.enum(['inspection', 'remediation-review']),
        schedule: z.object({ cron: text, timeZone: text }),
        roles: z.array(text),
        next: text.nullable(),
        to: z.array(text),
        waiting: z.number(),
      }),
    ),
  }),
})

const PREVIEW = describeRoute({
  method: 'POST',
  path: '/api/v1/reports/:name/preview',
  summary: 'A report as it would be sent now; nothing is sent',
  params,
  body: z.strictObject({ language: z.enum(LANGUAGES).default('en'), zone: timeZone.default('UTC') }),
  answer: z.object({ items: z.array(z.object({ role: text, subject: text, text, html: text })) }),
  // Nothing but an inspection comes of it, which whoever may look may take.
  right: 'view',
  errors: { 409: 'there is no such report, or it cannot be made now' },
})

const SEND = describeRoute({
  method: 'POST',
  path: '/api/v1/reports/:name/send',
  summary: 'Sends a report now, whether it is due or not',
  params,
  answer: decided,
  errors: { 409: 'there is no such report, or it cannot be made now' },
})

export const REPORT_ROUTES = [LIST, PREVIEW, SEND]

export function registerReportRoutes(api: FastifyInstance, reports: Reports): void {
  route(api, LIST, () => ({ items: reports.list() }))
  route(api, PREVIEW, async ({ params: { name }, body: { language, zone } }) => ({
    items: await orConflict('No preview', () => reports.preview(name, language, zone)),
  }))
  route(api, SEND, async ({ params: { name }, caller }) => ({
    event: await orConflict('Not sent', () => reports.send(name, caller.name)),
  }))
}

async function orConflict<T>(title: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw asConflict(title, error)
  }
}
