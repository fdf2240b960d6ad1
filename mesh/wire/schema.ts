/**
 * What may come over the wire, with a bound on everything: what does not fit is refused before the protocol sees it. The
 * types are those of the core; a check at the end holds the two together.
 */
import { z } from 'zod'
import { NOTE_BYTES_MAX, SYNC_STATEMENTS } from '../core/gossip.ts'
import type { Message } from '../core/message.ts'
import { HOPS_MAX } from '../core/route.ts'

/** A node name is a DNS subdomain in Kubernetes: at most 253 characters. */
const name = z.string().min(1).max(253)
const count = z.int().min(0)
/** Statements name their lifetime; a day is longer than any of ours. */
const duration = z.number().min(0).max(86_400_000)
const signature = z.instanceof(Uint8Array).refine((bytes) => bytes.length === 64)
const nonce = z.string().regex(/^[0-9a-f]{1,32}$/)
/** One bit a member: enough for a mesh of 64 k. */
const presence = z.instanceof(Uint8Array).refine((bytes) => bytes.length <= 8_192)
/** A digest is bounded by its bytes; the shortest entries are about this many. */
const DIGEST_ENTRIES_MAX = 16_384
const SUBJECTS_MAX = 256
const ANSWERS_MAX = 1_024

export const incarnationSchema = z.strictObject({ serial: count, boot: count, refutations: count })
const incarnation = incarnationSchema
const channel = z.enum(['userland', 'mute', 'refused', 'nothing', 'unknown'])
const opinion = z.enum(['Alive', 'NodeDown', 'HostHung', 'AgentDown'])
const verdict = z.enum(['NodeDown', 'HostHung'])

const body = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('accusation'),
    subject: name,
    incarnation,
    epoch: count,
    opinion,
    channel,
    silentMs: z.number().min(0),
  }),
  z.strictObject({ kind: z.literal('announcement'), incarnation }),
  z.strictObject({
    kind: z.literal('down'),
    subject: name,
    incarnation,
    verdict,
    verdictId: z.string().min(1).max(300),
    standing: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('note'),
    topic: z.string().min(1).max(256),
    bytes: z.instanceof(Uint8Array).refine((bytes) => bytes.length <= NOTE_BYTES_MAX),
  }),
])

export const signedStatementSchema = z.strictObject({
  statement: z.strictObject({ signer: name, serial: count, boot: count, seq: count, ttlMs: duration, body }),
  signature,
})

const rollCall = z.strictObject({
  leader: name,
  epoch: count,
  term: count,
  nonce,
  subjects: z
    .array(z.strictObject({ node: name, incarnation }))
    .min(1)
    .max(SUBJECTS_MAX),
})

const signedRollCall = z.strictObject({ rollCall, signature })

const signedAnswer = z.strictObject({
  answer: z.strictObject({
    nonce,
    epoch: count,
    voter: name,
    voterSerial: count,
    subject: name,
    incarnation,
    opinion: z.enum([...opinion.options, 'Abstain']),
    channel,
    forMs: z.number().min(0),
    reason: z.string().max(100),
  }),
  signature,
})

export const messageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('probe'), seq: count }),
  z.strictObject({ kind: z.literal('ack'), seq: count, wallMs: z.number(), incarnation }),
  z.strictObject({ kind: z.literal('hint'), path: z.array(name).max(HOPS_MAX), from: name, subject: name }),
  z.strictObject({
    kind: z.literal('gossip'),
    history: z.boolean(),
    items: z.array(z.strictObject({ signed: signedStatementSchema, ageMs: z.number().min(0) })).max(SYNC_STATEMENTS),
  }),
  z.strictObject({
    kind: z.literal('digest'),
    from: z.string().max(253),
    to: z.string().max(253),
    entries: z.array(z.tuple([name, z.string().max(300), count, count])).max(DIGEST_ENTRIES_MAX),
  }),
  z.strictObject({ kind: z.literal('roll-call'), call: signedRollCall }),
  z.strictObject({
    kind: z.literal('answers'),
    nonce,
    present: presence,
    answers: z.array(signedAnswer).max(ANSWERS_MAX),
  }),
]) satisfies z.ZodType<Message>

export const certificateSchema = z.strictObject({
  mesh: z.string().min(1).max(253),
  verdictId: z.string().min(1).max(300),
  kind: verdict,
  subject: name,
  incarnation,
  rollCall: signedRollCall,
  answers: z.array(signedAnswer).max(ANSWERS_MAX),
  excused: z.array(z.strictObject({ node: name, verdictId: z.string().max(300) })).max(ANSWERS_MAX),
  rosterHash: z.string().regex(/^[0-9a-f]{64}$/),
  present: count,
  live: count,
  voters: z.array(name).max(ANSWERS_MAX),
  signature,
})
