/**
 * What a node keeps of what it said of itself, for an aggregator that missed it: each record is signed by the node, so it
 * is as good from the disk as it was over the mesh. Words of both sides; nothing here reads a clock or a disk.
 */
import { z } from 'zod'
import { signedBytes } from '../mesh/identity/keyring.ts'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'

/** How long a record is kept, ms: a day, in which somebody notices that an aggregator is gone. */
export const KEPT_MS = 86_400_000

/** One record, signed: two notes of 64 KiB fit, and every page holds at least one record. */
export const RECORD_BYTES_MAX = 160 * 1024

const name = z.string().min(1).max(253)
const id = z.string().regex(/^[0-9a-f]{16}$/)
const place = z.int().min(0)

export interface OutboxRecord {
  readonly node: string
  /** Of its enrolment: what was signed under another is not this node's any more. */
  readonly serial: number
  /** Which outbox: one that was lost begins anew under another id. */
  readonly outbox: string
  /** Grows with each record of an outbox; some places are left out. */
  readonly seq: number
  /** RFC 3339, by the node's own clock. */
  readonly at: string
  /** A note's, as it went over the mesh: of a detector's report or a remediation. */
  readonly topic: string
  readonly bytes: Uint8Array
  /** Of a report: what the detector had found until then, by id, so that each record tells by itself what ended. */
  readonly before: Readonly<Record<string, string>>
}

const recordSchema: z.ZodType<OutboxRecord> = z
  .strictObject({
    node: name,
    serial: place,
    outbox: id,
    seq: z.int().min(1),
    at: z.iso.datetime(),
    topic: z.string().min(1).max(256),
    bytes: z.instanceof(Uint8Array).refine((bytes) => bytes.length <= 64 * 1024),
    before: z.record(z.string().max(1_000), z.string().max(1_000)).refine((before) => Object.keys(before).length <= 64),
  })
  .superRefine(({ node, before }, { addIssue }) => {
    // An event has its id from what ended: by another's id a node could keep that one's end off the record.
    const foreign = Object.keys(before).find((each) => !each.startsWith(`${node}/`))
    if (foreign !== undefined) addIssue(`${foreign} is not of ${node}`)
  })

const signedSchema = z.strictObject({ record: recordSchema, signature: z.instanceof(Uint8Array) })

export function signRecord(record: OutboxRecord, mesh: string, sign: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return encodeValue({ record, signature: sign(bytesOf(record, mesh)) })
}

/** Throws an Error for what is no record, or is not signed by whose key `verify` knows. */
export function readRecord(
  bytes: Uint8Array,
  mesh: string,
  verify: (bytes: Uint8Array, signature: Uint8Array) => boolean,
): OutboxRecord {
  const { record, signature } = decodeValue(signedSchema, bytes)
  if (!verify(bytesOf(record, mesh), signature)) throw new Error(`record ${record.seq} is not signed by ${record.node}`)
  return record
}

/** As `readRecord`, of one's own disk: what is damaged there is found by its checksum. */
export function recordIn(bytes: Uint8Array): OutboxRecord {
  return decodeValue(signedSchema, bytes).record
}

function bytesOf(record: OutboxRecord, mesh: string): Uint8Array {
  return signedBytes(mesh, 'outbox', record)
}

/** An aggregator asks what it does not have. */
export const OUTBOX_TOPIC = 'outbox/after'

const askSchema = z.strictObject({
  /** The outbox that `after` is of; empty: none of this node is known. */
  outbox: z.union([z.literal(''), id]),
  after: place,
  /** Nothing from before is wanted; empty: all that is kept. */
  since: z.union([z.literal(''), z.iso.datetime()]),
})
export type OutboxAsk = z.infer<typeof askSchema>

export interface OutboxPage {
  readonly outbox: string
  /** In their order, each as it was signed. */
  readonly records: readonly Uint8Array[]
  /** All up to this place is in this page or was not wanted. */
  readonly upTo: number
  readonly hasMore: boolean
}

const pageSchema: z.ZodType<OutboxPage> = z.strictObject({
  outbox: id,
  records: z.array(z.instanceof(Uint8Array)).max(10_000),
  upTo: place,
  hasMore: z.boolean(),
})

export const encodeOutboxAsk = (ask: OutboxAsk): Uint8Array => encodeValue(ask)
export const decodeOutboxAsk = (bytes: Uint8Array): OutboxAsk => decodeValue(askSchema, bytes)
export const encodeOutboxPage = (page: OutboxPage): Uint8Array => encodeValue(page)
export const decodeOutboxPage = (bytes: Uint8Array): OutboxPage => decodeValue(pageSchema, bytes)
