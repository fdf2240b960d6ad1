/** Which subjects an observer could convict, as it tells the aggregator: a subject with too few of them is not covered. */
import { z } from 'zod'
import { decodeValue, encodeValue } from './codec.ts'

export const WATCHING_TOPIC = 'watching'

const watchingSchema = z.array(z.string().min(1).max(253)).max(256)

export function encodeWatching(subjects: readonly string[]): Uint8Array {
  return encodeValue(subjects)
}

/** Throws an Error for anything else. */
export function decodeWatching(bytes: Uint8Array): readonly string[] {
  return decodeValue(watchingSchema, bytes)
}
