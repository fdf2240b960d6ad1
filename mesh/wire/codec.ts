/** Messages to bytes and back: deterministic CBOR, strict and bounded on the way in. */
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import type { z } from 'zod'
import type { Message } from '../core/message.ts'
import { messageSchema } from './schema.ts'

/** The largest frame that is sent or read, bytes. A full digest is the largest message: about 330 KiB. */
export const FRAME_BYTES_MAX = 512 * 1024

/** Deterministic: equal values give equal bytes, whatever order their fields were written in. That is what is signed. */
export function encodeValue(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

/** Throws an Error when the bytes are not one strict CBOR item that satisfies the schema. */
export function decodeValue<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  const value: unknown = decode(bytes, { strict: true, allowIndefinite: false, rejectDuplicateMapKeys: true })
  return schema.parse(value)
}

export function encodeMessage(message: Message): Uint8Array {
  return encodeValue(message)
}

/** Throws an Error for anything that is not a message. */
export function decodeMessage(bytes: Uint8Array): Message {
  return decodeValue(messageSchema, bytes)
}
