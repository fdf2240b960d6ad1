/** The API's requests about alerts: what is wrong, who is told, silences, trying a sink, and what could not be delivered. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { LANGUAGES } from '../../common/languages.ts'
import { timeZone } from '../../common/time-zone.ts'
import { decided } from '../http/answers.ts'
import { asConflict, notFound, ProblemError } from '../http/problem.ts'
import { describeRoute, route } from '../http/route.ts'
import type { Snapshot } from '../model.ts'
import type { DeadLetter, Dispatch } from '../sinks/dispatch.ts'
import { alerts, deadLetters, heard, sentAgain, silences, tested } from './answers.ts'
import type { AlertDesk } from './desk.ts'
import { webhookPayload } from './foreign.ts'
import type { ForeignAlerts } from './foreign-desk.ts'
import { silenceMatch } from './silence-model.ts'
import type { AlertStory } from './story.ts'
import { deadView, incidentView, silenceView, testNotification } from './views.ts'

/** Whoever decides on fixes also says what need not be told. */
const APPROVE = 'approve'
/** Alertmanager sends a whole group at once. */
const WEBHOOK_BYTES_MAX = 1024 * 1024

const reason = z
  .string()
  .max(500)
  .refine((text) => text.trim() !== '', 'say why')
const length = z
  .string()
  .meta({ description: 'a number and m, h or d, as in 2h; as long as the settings let it last' })
  .refine(isDuration, 'write a number and m, h or d, as in 2h')
  .transform((text) => (isDuration(text) ? durationMs(text) : Number.NaN))
  .refine((ms) => ms >= 60_000, 'must be 1m at least')

const ids = z.union([z.literal('all'), z.array(z.string().max(64)).min(1).max(100)])
const language = z.enum(LANGUAGES).default('en')
const LEADS = { 503: 'this aggregator does not lead' }

const ALERTS = describeRoute({
  method: 'GET',
  path: '/api/v1/alerts',
  summary: 'What is wrong, the oldest first, and who was told of it',
  description: 'What is wrong for one cause is one incident, with all that belongs to it.',
  query: z.strictObject({ language }),
  answer: alerts,
  errors: LEADS,
  example: { query: 'language=zh' },
})

const HEAR = describeRoute({
  method: 'POST',
  path: '/api/v1/alerts/alertmanager',
  summary: 'A webhook for Alertmanagers: alerts of nodes become findings of them',
  body: webhookPayload,
  bodyLimit: WEBHOOK_BYTES_MAX,
  answer: heard,
  right: APPROVE,
  errors: LEADS,
  example: {
    body: {
      version: '4',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'DiskSlow', node: 'node-4', severity: 'warning' },
          startsAt: '2026-03-01T00:00:00Z',
        },
      ],
    },
  },
})

const SILENCES = describeRoute({
  method: 'GET',
  path: '/api/v1/silences',
  summary: 'Silences that hold, and how much each holds back',
  answer: silences,
  errors: LEADS,
})

const SILENCE = describeRoute({
  method: 'POST',
  path: '/api/v1/silences',
  summary: 'Tell nobody of what fits, for a while',
  description: 'Of each kind that `match` gives one must fit; it must give one at least.',
  body: z.strictObject({ match: silenceMatch, reason, for: length }),
  answer: decided,
  right: APPROVE,
  errors: { 409: 'it would last too long', ...LEADS },
  example: { body: { match: { reasons: ['DiskAlmostFull'] }, for: '2h', reason: 'it is being moved' } },
})

const EXPIRE = describeRoute({
  method: 'POST',
  path: '/api/v1/silences/:id/expire',
  summary: 'End a silence',
  params: z.strictObject({ id: z.string().min(1).max(64) }),
  body: z.strictObject({ reason }),
  answer: decided,
  right: APPROVE,
  errors: { 404: 'there is none', ...LEADS },
  example: { params: { id: 'SILENCE' }, body: { reason: 'done' } },
})

const TEST = describeRoute({
  method: 'POST',
  path: '/api/v1/notify/test',
  summary: 'Send a test to a sink, at once',
  body: z.strictObject({ sink: z.string().min(1).max(63), language, zone: timeZone.default('UTC') }),
  answer: tested,
  right: APPROVE,
  errors: { 404: 'no such sink', 502: 'it did not take it: why' },
  example: { body: { sink: 'chat', language: 'en', zone: 'Europe/Berlin' } },
})

const DEAD = describeRoute({
  method: 'GET',
  path: '/api/v1/notify/dead',
  summary: 'What could not be delivered, the oldest first',
  answer: deadLetters,
})

const AGAIN = describeRoute({
  method: 'POST',
  path: '/api/v1/notify/dead/again',
  summary: 'Send again what could not be delivered: some of it, or `all`',
  body: z.strictObject({ ids }),
  answer: sentAgain,
  right: APPROVE,
  errors: { 404: 'no such letter, or its sink is gone' },
  example: { body: { ids: 'all' } },
})

export const ALERT_ROUTES = [ALERTS, HEAR, SILENCES, SILENCE, EXPIRE, TEST, DEAD, AGAIN]

export interface AlertRoutesInit {
  readonly desk: AlertDesk
  readonly dispatch: Dispatch
  readonly foreign: ForeignAlerts
  readonly story: AlertStory
  /** Throws StarlingError while this aggregator does not lead. */
  readonly snapshot: () => Snapshot
  readonly mesh: string
  readonly link: string | undefined
}

export function registerAlertRoutes(api: FastifyInstance, init: AlertRoutesInit): void {
  const { desk, dispatch, foreign, story, snapshot } = init

  route(api, ALERTS, ({ query: { language } }) => {
    snapshot()
    const items = [...desk.incidents.values()].toSorted((a, b) => a.openedAt - b.openedAt)
    return { items: items.map((incident) => incidentView(incident, language)), sinks: dispatch.view() }
  })

  route(api, HEAR, ({ body }) => foreign.hear(body, snapshot().members, Date.now()))

  route(api, SILENCES, () => {
    snapshot()
    const incidents = [...desk.incidents.values()]
    return { items: desk.silences(Date.now()).map((silence) => silenceView(silence, incidents)) }
  })

  route(api, SILENCE, ({ body: { for: forMs, ...asked }, caller }) => {
    const from = Date.now()
    snapshot()
    try {
      return { event: desk.silence({ ...asked, author: caller.name, from, until: from + forMs }) }
    } catch (error) {
      throw asConflict('Not silenced', error)
    }
  })

  route(api, EXPIRE, ({ params: { id }, body, caller }) => {
    const event = desk.endSilence(id, caller.name, body.reason)
    if (event === undefined) throw notFound(`there is no silence ${id} now`)
    return { event }
  })

  route(api, TEST, async ({ body: { sink, ...reader } }) => {
    const { mesh, link } = init
    const tried = dispatch.test(sink, testNotification({ mesh, ...reader, link, now: Date.now() }))
    if (tried === undefined) {
      const names = dispatch.names.join(', ')
      throw notFound(`there is no sink ${sink}: ${names === '' ? 'the configuration names none' : `there is ${names}`}`)
    }
    await tried.catch((error: unknown) => {
      throw new ProblemError({
        status: 502,
        title: 'Not delivered',
        detail: `${sink} did not take it: ${messageOf(error)}`,
      })
    })
    return { sink, delivered: true as const }
  })

  route(api, DEAD, () => ({ items: dispatch.dead.map(deadView) }))

  route(api, AGAIN, ({ body: { ids }, caller }) => {
    const again: readonly DeadLetter[] = dispatch.sendAgain(ids)
    if (again.length === 0) throw notFound('there is no such dead letter, or its sink is gone')
    return { event: story.sentAgain(again, caller.name), items: again.map(deadView) }
  })
}
