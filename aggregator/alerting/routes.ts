/** The API's requests about alerts: what is wrong, who is told, silences, trying a sink, and what could not be delivered. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { LANGUAGES } from '../../common/languages.ts'
import { asConflict, notFound, ProblemError, parseInput } from '../http/problem.ts'
import type { Snapshot } from '../model.ts'
import type { DeadLetter, Dispatch } from '../sinks/dispatch.ts'
import type { AlertDesk } from './desk.ts'
import { webhookPayload } from './foreign.ts'
import type { ForeignAlerts } from './foreign-desk.ts'
import { silenceMatch } from './silence-model.ts'
import type { AlertStory } from './story.ts'
import { deadView, incidentView, silenceView, testNotification } from './views.ts'

/** Whoever decides on fixes also says what need not be told. */
const APPROVE = { config: { right: 'approve' } } as const
/** Alertmanager sends a whole group at once. */
const WEBHOOK = { config: { right: 'approve' }, bodyLimit: 1024 * 1024 } as const

const reason = z
  .string()
  .max(500)
  .refine((text) => text.trim() !== '', 'say why')
const length = z
  .string()
  .refine(isDuration, 'write a number and m, h or d, as in 2h')
  .transform((text) => (isDuration(text) ? durationMs(text) : Number.NaN))
  .refine((ms) => ms >= 60_000, 'must be 1m at least')

export const SilenceBody = z.strictObject({ match: silenceMatch, reason, for: length })
export const SilenceEndBody = z.strictObject({ reason })
export const TestBody = z.strictObject({ sink: z.string().min(1).max(63), language: z.enum(LANGUAGES).default('en') })
export const AgainBody = z.strictObject({
  ids: z.union([z.literal('all'), z.array(z.string().max(64)).min(1).max(100)]),
})
const Id = z.strictObject({ id: z.string().min(1).max(64) })
const Language = z.strictObject({ language: z.enum(LANGUAGES).default('en') })

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

  api.get('/api/v1/alerts', async (request) => {
    const { language } = parseInput(Language, request.query)
    snapshot()
    const items = [...desk.incidents.values()].toSorted((a, b) => a.openedAt - b.openedAt)
    return { items: items.map((incident) => incidentView(incident, language)), sinks: dispatch.view() }
  })

  api.post('/api/v1/alerts/alertmanager', WEBHOOK, async (request) => {
    const { members } = snapshot()
    return foreign.hear(parseInput(webhookPayload, request.body), members, Date.now())
  })

  api.get('/api/v1/silences', async () => {
    snapshot()
    const incidents = [...desk.incidents.values()]
    return { items: desk.silences(Date.now()).map((silence) => silenceView(silence, incidents)) }
  })

  api.post('/api/v1/silences', APPROVE, async (request) => {
    const { for: forMs, ...asked } = parseInput(SilenceBody, request.body)
    const from = Date.now()
    snapshot()
    try {
      return { event: desk.silence({ ...asked, author: request.caller.name, from, until: from + forMs }) }
    } catch (error) {
      throw asConflict('Not silenced', error)
    }
  })

  api.post('/api/v1/silences/:id/expire', APPROVE, async (request) => {
    const { id } = parseInput(Id, request.params)
    const event = desk.endSilence(id, request.caller.name, parseInput(SilenceEndBody, request.body).reason)
    if (event === undefined) throw notFound(`there is no silence ${id} now`)
    return { event }
  })

  api.post('/api/v1/notify/test', APPROVE, async (request) => {
    const { sink, language } = parseInput(TestBody, request.body)
    const { mesh, link } = init
    const tried = dispatch.test(sink, testNotification({ mesh, language, link, now: Date.now() }))
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
    return { sink, delivered: true }
  })

  api.get('/api/v1/notify/dead', async () => ({ items: dispatch.dead.map(deadView) }))

  api.post('/api/v1/notify/dead/again', APPROVE, async (request) => {
    const { ids } = parseInput(AgainBody, request.body)
    const again: readonly DeadLetter[] = dispatch.sendAgain(ids)
    if (again.length === 0) throw notFound('there is no such dead letter, or its sink is gone')
    return { event: story.sentAgain(again, request.caller.name), items: again.map(deadView) }
  })
}
