/** Questions to many and their answers as bytes; every field bounded on the way in. */
import { z } from 'zod'
import type { Gathered, Hop } from '../core/convergecast.ts'
import { decodeValue, encodeValue } from './codec.ts'

/** A row of an inspection is 0.5-1.5 KB; 157 of the largest fit into a frame once they are packed, by half at least. */
export const ROW_BYTES_MAX = 3 * 1024

/** Of a group of the largest mesh that two trees reach: 64 groups of these are 131,072 nodes. */
const NAMES_MAX = 2_048
/** A list of names. */
const PARAMETERS_BYTES_MAX = 16 * 1024
/** The longest that a person waits. */
const WITHIN_MS_MAX = 60_000

const name = z.string().min(1).max(253)
const withinMs = z.number().min(0).max(WITHIN_MS_MAX)
const signature = z.instanceof(Uint8Array).refine(({ length }) => length === 64)

const hopSchema = z.strictObject({
  query: z.strictObject({
    query: z.strictObject({
      asker: name,
      nonce: z.string().regex(/^[0-9a-f]{32}$/),
      topic: z.string().min(1).max(63),
      parameters: z.instanceof(Uint8Array).refine(({ length }) => length <= PARAMETERS_BYTES_MAX),
      withinMs,
    }),
    signature,
  }),
  leftMs: withinMs,
  names: z.array(name).max(NAMES_MAX),
}) satisfies z.ZodType<Hop>

const gatheredSchema = z.strictObject({
  rows: z
    .array(
      z.strictObject({
        node: name,
        bytes: z.instanceof(Uint8Array).refine(({ length }) => length <= ROW_BYTES_MAX),
        signature,
      }),
    )
    .max(NAMES_MAX + 1),
  unheard: z.array(z.strictObject({ node: name, why: z.enum(['unreachable', 'no-answer']) })).max(NAMES_MAX),
}) satisfies z.ZodType<Gathered>

export function encodeHop(hop: Hop): Uint8Array {
  return encodeValue(hop)
}

/** Throws an Error for anything else, as `decodeGathered`. */
export function decodeHop(bytes: Uint8Array): Hop {
  return decodeValue(hopSchema, bytes)
}

export function encodeGathered(gathered: Gathered): Uint8Array {
  return encodeValue(gathered)
}

export function decodeGathered(bytes: Uint8Array): Gathered {
  return decodeValue(gatheredSchema, bytes)
}
