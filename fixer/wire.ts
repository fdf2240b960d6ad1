/**
 * What an agent and the fixer of its node say to each other: one connection, one request, one answer. A frame is its length,
 * 4 bytes, big-endian, and one item of deterministic CBOR.
 */
import { z } from 'zod'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'
import { planSchema } from '../remediators/schema.ts'

export const FIXER_VERSION = 1

/** The longest frame without its length, bytes. A plan of a dozen changes and its permit have about 6 KiB. */
export const FRAME_BYTES_MAX = 64 * 1024

const LENGTH_BYTES = 4

/** How long a deed may take, ms; no remediator takes longer. */
const limitMs = z.number().min(1).max(3_600_000)
const version = z.int().min(1)
const why = z.string().max(2_000)

const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hello'), version }),
  /** For a nonce, with which the leader is asked next: what answers it is fresh. */
  z.strictObject({ kind: z.literal('challenge') }),
  z.strictObject({
    kind: z.literal('apply'),
    plan: planSchema,
    /** The aggregator's statement as it was signed, encoded; null for what is done without. */
    permit: z.instanceof(Uint8Array).nullable(),
    limitMs,
  }),
  z.strictObject({ kind: z.literal('revert'), planId: z.string().min(1).max(128), limitMs }),
])

const answerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('hello'),
    version,
    node: z.string(),
    /** What it carries out. */
    remediators: z.array(z.string()),
  }),
  z.strictObject({ kind: z.literal('challenge'), nonce: z.string() }),
  z.strictObject({ kind: z.literal('done') }),
  /** Nothing was changed: it must not be done, or the host is not as the plan says. */
  z.strictObject({ kind: z.enum(['refused', 'stale']), why }),
  /** It was begun, and what came of it is unclear. */
  z.strictObject({ kind: z.literal('failed'), why }),
])

export type FixerRequest = z.infer<typeof requestSchema>
export type FixerAnswer = z.infer<typeof answerSchema>

export const encodeRequest = (request: FixerRequest): Buffer => frameOf(request)
export const encodeAnswer = (answer: FixerAnswer): Buffer => frameOf(answer)
/** Both throw an Error for anything else. */
export const decodeRequest = (bytes: Uint8Array): FixerRequest => decodeValue(requestSchema, bytes)
export const decodeAnswer = (bytes: Uint8Array): FixerAnswer => decodeValue(answerSchema, bytes)

/** Throws an Error for one that is too long. */
function frameOf(value: FixerRequest | FixerAnswer): Buffer {
  const bytes = encodeValue(value)
  if (bytes.length > FRAME_BYTES_MAX) throw new Error(`more than ${FRAME_BYTES_MAX} bytes for the fixer`)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Puts the one frame of a connection together. Holds no more than one frame and one chunk. */
export class FrameReader {
  #bytes = Buffer.alloc(0)

  /** What is in the frame, once it is whole. Throws an Error when it is too long, or something follows it. */
  add(chunk: Uint8Array): Uint8Array | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (this.#bytes.length < LENGTH_BYTES) return undefined
    const length = this.#bytes.readUInt32BE()
    if (length > FRAME_BYTES_MAX) throw new Error(`a frame of ${length} bytes`)
    const rest = this.#bytes.length - LENGTH_BYTES - length
    if (rest > 0) throw new Error('something follows the frame')
    return rest < 0 ? undefined : this.#bytes.subarray(LENGTH_BYTES)
  }
}
