/**
 * What may come over the wire, with a bound on everything: what does not fit is refused before the protocol sees it. The
 * types are those of the core; a check at the end holds the two together.
 */
import { z } from 'zod'
import { DOCUMENT_BYTES_MAX } from '../core/document-exchange.ts'
import { RECOVER_BEATS_MAX } from '../core/flaps.ts'
import { KEYS_PER_AGGREGATOR, NOTE_BYTES_MAX, SYNC_STATEMENTS } from '../core/gossip.ts'
import type { Message } from '../core/message.ts'
import { LEAVE_MS_MAX, ROSTER_BYTES_MAX } from '../core/model.ts'
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
/** The shortest entries of one part are about this many. */
const DIGEST_ENTRIES_MAX = KEYS_PER_AGGREGATOR * 2
const DIGEST_PARTS_MAX = 256
/** A signed roster; a member takes about 150 bytes. */
const rosterBytes = z.instanceof(Uint8Array).refine((bytes) => bytes.length <= ROSTER_BYTES_MAX)
const documentBytes = z.instanceof(Uint8Array).refine((bytes) => bytes.length <= DOCUMENT_BYTES_MAX)
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/)
const SUBJECTS_MAX = 256
const ANSWERS_MAX = 1_024

export const incarnationSchema = z.strictObject({ serial: count, boot: count, refutations: count })
const incarnation = incarnationSchema
const channel = z.enum(['userland', 'lossy', 'mute', 'refused', 'nothing', 'unknown'])
const opinion = z.enum(['Alive', 'NodeDown', 'HostHung', 'AgentDown', 'LinkFault'])
const verdict = z.enum(['NodeDown', 'HostHung', 'Isolated'])

const body = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('accusation'),
    subject: name,
    incarnation,
    epoch: count,
    term: count,
    opinion,
    channel,
    silentMs: z.number().min(0),
  }),
  z.strictObject({ kind: z.literal('announcement'), incarnation }),
  z.strictObject({
    kind: z.literal('leave'),
    incarnation,
    reason: z.string().max(100),
    forMs: z.number().min(0).max(LEAVE_MS_MAX),
  }),
  z.strictObject({
    kind: z.literal('down'),
    subject: name,
    incarnation,
    verdict,
    verdictId: z.string().min(1).max(300),
    standing: z.boolean(),
    latest: incarnation,
    recoverBeats: z.int().min(1).max(RECOVER_BEATS_MAX),
    heard: z.boolean(),
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
  subjects: z.array(z.strictObject({ node: name, incarnation })).max(SUBJECTS_MAX),
  canvass: z.literal(true).exactOptional(),
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
    items: z.array(z.strictObject({ signed: signedStatementSchema, ageMs: z.number().min(0) })).max(SYNC_STATEMENTS),
  }),
  z.strictObject({
    kind: z.literal('indirect-ack'),
    path: z.array(name).max(HOPS_MAX),
    from: name,
    subject: name,
    ageMs: duration,
  }),
  z.strictObject({ kind: z.literal('want-roster'), epoch: count }),
  z.strictObject({ kind: z.literal('roster'), epoch: count, bytes: rosterBytes }),
  z.strictObject({ kind: z.literal('want-document'), hash: sha256Hex }),
  z.strictObject({ kind: z.literal('document'), hash: sha256Hex, bytes: documentBytes }),
  z.strictObject({
    kind: z.literal('digest'),
    part: count,
    parts: z.int().min(1).max(DIGEST_PARTS_MAX),
    entries: z.array(z.tuple([name, z.string().max(300), count, count])).max(DIGEST_ENTRIES_MAX),
  }),
  z.strictObject({ kind: z.literal('roll-call'), call: signedRollCall }),
  z.strictObject({
    kind: z.literal('answers'),
    nonce,
    present: presence,
    degraded: presence,
    answers: z.array(signedAnswer).max(ANSWERS_MAX),
  }),
]) satisfies z.ZodType<Message>

export const certificateSchema = z.strictObject({
  mesh: z.string().min(1).max(253),
  verdictId: z.string().min(1).max(300),
  kind: verdict,
  subject: name,
  incarnation,
  heartbeat: z.enum(['unread', 'stale', 'renewed']),
  rollCall: signedRollCall,
  answers: z.array(signedAnswer).max(ANSWERS_MAX),
  excused: z.array(z.strictObject({ node: name, verdictId: z.string().max(300) })).max(ANSWERS_MAX),
  rosterHash: sha256Hex,
  present: count,
  live: count,
  voters: z.array(name).max(ANSWERS_MAX),
  signature,
})
