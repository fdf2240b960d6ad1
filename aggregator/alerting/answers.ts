/** What the API answers about alerts, as schemas of what views.ts makes. */
import { z } from 'zod'
import { LANGUAGES } from '../../common/languages.ts'
import { SEVERITIES } from '../../detectors/contract.ts'
import { decided, time } from '../http/answers.ts'
import { silenceMatch } from './silence-model.ts'

const text = z.string()
const number = z.number()
const severity = z.enum(SEVERITIES)

const incident = z
  .object({
    id: text,
    eventId: text.meta({ description: 'of the event that it began with; empty while it gathers' }),
    kind: z.enum(['mesh', 'frozen', 'zone', 'node', 'finding', 'measure']),
    reason: text,
    severity,
    title: text,
    node: text.meta({ description: 'empty when it is of several or of none' }),
    zone: text,
    state: z.enum(['gathers', 'firing', 'silenced']),
    silencedBy: z.array(text),
    openedAt: time,
    told: z.array(z.object({ sink: text, language: z.enum(LANGUAGES), at: time })),
    count: number.meta({ description: 'of all that belong to it; the first 200 are children' }),
    children: z.array(z.object({ node: text, rule: text, reason: text, severity, summary: text })),
  })
  .meta({ id: 'Incident' })

const sink = z.object({ sink: text, waiting: number, problem: text.nullable() })

const silence = z
  .object({
    id: text,
    match: silenceMatch,
    author: text,
    reason: text,
    from: time,
    until: time,
    matches: number.meta({ description: 'incidents that it holds back something of now' }),
  })
  .meta({ id: 'Silence' })

const deadLetter = z
  .object({
    id: text,
    sink: text,
    why: text,
    at: time,
    incident: text,
    state: z.enum(['firing', 'resolved', 'test']),
    title: text,
  })
  .meta({ id: 'DeadLetter' })

export const alerts = z.object({ items: z.array(incident), sinks: z.array(sink) })
export const heard = z.object({ taken: number, resolved: number, own: number, elsewhere: number })
export const silences = z.object({ items: z.array(silence) })
export const tested = z.object({ sink: text, delivered: z.literal(true) })
export const deadLetters = z.object({ items: z.array(deadLetter) })
export const sentAgain = decided.extend({ items: z.array(deadLetter) })
