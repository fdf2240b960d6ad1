/** A question to one node about its use, and its answer, as they travel over the mesh; bounded on the way in. */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import { packAnswer, packedAnswerSchema, type UsageAnswer, unpackAnswer, usageQuerySchema } from './answer.ts'

export { type UsageAnswer, type UsageQuery, usageAnswerSchema, usageQuerySchema } from './answer.ts'

/** Who asked has gone by then. */
export const USAGE_TTL_MS = 10_000

/** Said by a node; a later answer takes the place of the one before. */
export const USAGE_TOPIC = 'usage'
const ASK_TOPIC = 'usage-ask/'

/** Eight subjects of six figures with 48 points each are some 8 KB; this is what a note may be. */
const BYTES_MAX = 64 * 1024

const id = z.string().min(1).max(64)
const askSchema = z.strictObject({ id, node: z.string().min(1).max(253), query: usageQuerySchema })
const toldSchema = z.strictObject({ id, answer: packedAnswerSchema })

export type UsageAsk = z.infer<typeof askSchema>
export interface UsageTold {
  readonly id: string
  readonly answer: UsageAnswer
}

export function askTopic(node: string): string {
  return `${ASK_TOPIC}${node}`
}

export function isAskTopic(topic: string): boolean {
  return topic.startsWith(ASK_TOPIC)
}

export function encodeAsk(ask: UsageAsk): Uint8Array {
  return encode(ask)
}

export function encodeTold(told: UsageTold): Uint8Array {
  return encode({ id: told.id, answer: packAnswer(told.answer) })
}

/** Throws an Error for anything but a question. That its signer may ask is for the caller to check. */
export function decodeAsk(bytes: Uint8Array): UsageAsk {
  return askSchema.parse(decodeStrictly(bytes))
}

/** What `signer` says of itself. Throws an Error for anything else. */
export function decodeTold(signer: string, bytes: Uint8Array): UsageTold {
  const { id, answer } = toldSchema.parse(decodeStrictly(bytes))
  if (answer.node !== signer) throw new Error(`${signer} spoke for ${answer.node}`)
  return { id, answer: unpackAnswer(answer) }
}

function decodeStrictly(bytes: Uint8Array): unknown {
  if (bytes.length > BYTES_MAX) throw new Error(`a note of ${bytes.length} bytes`)
  return decode(bytes, { strict: true, rejectDuplicateMapKeys: true })
}
