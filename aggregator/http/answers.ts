/**
 * What the API answers, as schemas: the shapes of model.ts once more, for programs that are not ours. The compiler holds them
 * to the model, and a test holds answers to them.
 */
import { z } from 'zod'
import { usageAnswerSchema } from '../../detectors/usage/notes.ts'
import { MARKING_MODES } from '../../settings/marking.ts'
import { EVENT_KINDS, SIGHTS } from '../model.ts'

const text = z.string()
/** RFC 3339, UTC. */
export const time = z.string().meta({ format: 'date-time' })
const ms = z.number().meta({ description: 'ms' })

/** A shape that is told in words: what is in it changes with the parts that it comes from. */
export function shaped<T>(description: string): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null).meta({ type: 'object', description })
}

/** One page of a list, and how to ask for the next. */
export function pageOf<T>(item: z.ZodType<T>) {
  return z.object({
    items: z.array(item),
    next: text.nullable().meta({ description: 'cursor of the page after this one; null at the end' }),
  })
}

export const measure = z.object({
  name: text,
  value: z.union([z.number(), text]),
  limit: z.union([z.number(), text]).exactOptional(),
  unit: text,
})

export const TONES = ['bad', 'good', 'info', 'act'] as const

export const event = z
  .object({
    id: text,
    at: time,
    kind: z.enum(EVENT_KINDS),
    node: text.meta({ description: 'empty when it is about the mesh' }),
    tone: z.enum(TONES),
    summary: text,
    causedBy: text.meta({ description: 'id of the event that led to it; empty at the head of a chain' }),
    data: z.record(text, z.unknown()),
  })
  .meta({ id: 'Event' })

const place = z.number().meta({ description: 'its place in this store; others have their own' })

export const storedEvent = event.extend({ seq: place }).meta({ id: 'StoredEvent' })

/** What a person's word became. */
export const decided = z.object({
  event: event.extend({ seq: place.exactOptional() }).meta({ id: 'DecidedEvent' }),
  singleCopy: z.literal(true).exactOptional().meta({ description: 'it is on the disk of this aggregator alone yet' }),
})

export const STATUSES = ['ok', 'info', 'warn', 'alarm', 'error', 'unknown', 'not-applicable'] as const

export const finding = z
  .object({
    id: text,
    node: text,
    detector: text,
    reason: text,
    cause: text,
    status: z.enum(STATUSES),
    summary: text,
    evidence: z.array(measure),
    since: time,
    observedAt: time,
    ttlMs: ms,
    held: z.enum(['clearing', 'flapping']).exactOptional(),
    version: text.exactOptional(),
  })
  .meta({ id: 'Finding' })

export const MEMBER_STATES = [
  'alive',
  'suspected',
  'NodeDown',
  'HostHung',
  'Isolated',
  'AgentDown',
  'left',
  'unseen',
] as const

const flags = z.array(z.enum(['LinkFault', 'ObserverFault']))

const vote = z
  .object({
    voter: text,
    zone: text,
    opinion: z.enum(['silent', 'alive', 'abstain']),
    kind: text,
    channel: text,
    forMs: ms,
  })
  .meta({ id: 'Vote' })

export const markingMode = z.enum(MARKING_MODES)

const mark = z
  .object({
    state: z.enum(['marked', 'would-mark', 'withheld', 'undone']),
    mode: markingMode,
    effects: z.array(text),
    withheld: text,
    since: time,
    undoneAt: time.exactOptional(),
  })
  .meta({ id: 'Mark' })

export const member = z
  .object({
    node: text,
    zone: text,
    roles: z.array(text),
    pool: text.optional(),
    address: text,
    state: z.enum(MEMBER_STATES),
    flags,
    since: time,
    incarnation: text,
    observers: z.array(text),
    coveredBy: z.array(text),
    seenBy: z.array(text),
    missedBy: z.array(text),
    votes: z.array(vote),
    needed: z.number().nullable(),
    decidesInMs: ms.exactOptional(),
    verdictId: text.exactOptional(),
    mark: mark.exactOptional(),
  })
  .meta({ id: 'Member' })

export const verdict = z
  .object({
    id: text,
    node: text,
    kind: text,
    at: time,
    endedAt: time.exactOptional(),
    votes: z.array(vote),
    needed: z.number(),
    present: z.number(),
    live: z.number(),
    certificate: text.meta({ description: 'base64; empty while only another aggregator has it' }),
    mark: mark.exactOptional(),
  })
  .meta({ id: 'Verdict' })

export const office = z
  .object({
    node: text,
    role: z.enum(['starts', 'stands-by', 'takes-over', 'leads']),
    since: time,
    why: text,
    leader: text,
    unfit: text.nullable(),
  })
  .meta({ id: 'Office' })

export const matrixRow = z
  .object({
    subject: text,
    state: z.enum(MEMBER_STATES),
    flags,
    disputed: z.boolean(),
    sights: z.array(
      z.object({
        observer: text,
        zone: text,
        sees: z.enum(SIGHTS),
        channel: text,
        ageMs: ms.nullable(),
        from: z.enum(['roll-call', 'statement', 'watching', 'none']),
      }),
    ),
  })
  .meta({ id: 'MatrixRow' })

export const explanation = z.object({
  member,
  chains: z.array(z.object({ title: text, events: z.array(storedEvent) })),
})

export const wouldBeMark = z.object({
  node: text,
  verdictId: text,
  kind: text,
  at: time,
  endedAt: time.nullable(),
  lengthMs: ms.nullable(),
  votes: z.object({ silent: z.number(), alive: z.number(), abstained: z.number(), needed: z.number() }),
  effect: z.enum(['marked', 'would-mark', 'withheld', 'none']),
  why: text,
  stock: z.object({ at: time, afterMs: ms }).nullable(),
})

export const caller = z.object({
  name: text,
  right: z.enum(['view', 'approve', 'admin']),
  isShared: z.boolean(),
})

export const usageAnswer = usageAnswerSchema.meta({ id: 'Usage' })
