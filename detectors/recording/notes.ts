/** A question to one node for a recording of what a detector reads there, and its answer, as they travel over the mesh. */
import { decode, encode } from 'cborg'
import { z } from 'zod'

/** A question is there within a second, or does not come; an answer is awaited at once. */
export const RECORDING_TTL_MS = 10_000

/** Said by a node; a later answer takes the place of the one before. */
export const RECORDING_TOPIC = 'recording'
const ASK_TOPIC = 'recording-ask/'

/** Of a recording as it travels: a note may be 64 KiB, and one is all that a node says to a question. */
export const PACKED_BYTES_MAX = 63 * 1024
const NOTE_BYTES_MAX = 64 * 1024
/** Of a sentence of a refusal. */
const WORDS_MAX = 1_000

const id = z.string().min(1).max(64)
const node = z.string().min(1).max(253)
export const detectorName = z.string().min(1).max(63)

const askSchema = z.strictObject({ id, node, query: z.strictObject({ detector: detectorName }) })
const answerSchema = z.union([
  z.strictObject({
    packed: z.custom<Uint8Array>((bytes) => bytes instanceof Uint8Array && bytes.length <= PACKED_BYTES_MAX),
  }),
  z.strictObject({ refused: z.string().min(1).max(WORDS_MAX), remedy: z.string().max(WORDS_MAX) }),
])
const toldSchema = z.strictObject({ id, answer: answerSchema })

export type RecordingAsk = z.infer<typeof askSchema>
export type RecordingQuery = RecordingAsk['query']
/** A recording, packed; or why there is none, and what can be done about it. */
export type RecordingAnswer = z.infer<typeof answerSchema>
export type RecordingTold = z.infer<typeof toldSchema>

export function recordingAskTopic(node: string): string {
  return `${ASK_TOPIC}${node}`
}

export function isRecordingAsk(topic: string): boolean {
  return topic.startsWith(ASK_TOPIC)
}

export function encodeRecordingAsk(ask: RecordingAsk): Uint8Array {
  return encode(ask)
}

/** Throws an Error for anything but a question. That its signer may ask is for the caller to check. */
export function decodeRecordingAsk(bytes: Uint8Array): RecordingAsk {
  return askSchema.parse(decodeStrictly(bytes))
}

export function encodeRecordingTold(told: RecordingTold): Uint8Array {
  return encode(told)
}

/** Throws an Error for anything but an answer. */
export function decodeRecordingTold(bytes: Uint8Array): RecordingTold {
  return toldSchema.parse(decodeStrictly(bytes))
}

function decodeStrictly(bytes: Uint8Array): unknown {
  if (bytes.length > NOTE_BYTES_MAX) throw new Error(`a note of ${bytes.length} bytes`)
  return decode(bytes, { strict: true, rejectDuplicateMapKeys: true })
}
