/**
 * What nodes tell of themselves so that each can be held against its pool, and what most of a pool have, as they travel over
 * the mesh: a note by each node, and one by the aggregator that leads. Both bounded on the way in.
 */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { Majority } from '../contract.ts'

export const FACTS_TOPIC = 'facts'
export const MAJORITIES_TOPIC = 'majorities'

export type Facts = Readonly<Record<string, string>>

export interface PoolMajority extends Majority {
  readonly fact: string
}

/** Each kind has its own room: however much else a node has, it tells the versions that it runs. */
export const VERSIONS_MAX = 16
export const OTHERS_MAX = 48
const FACTS_MAX = VERSIONS_MAX + OTHERS_MAX
/** What the mesh carries as one note. */
const NOTE_BYTES_MAX = 64 * 1024

/** In UTF-8; with their lengths all facts of a node take 24,898 bytes at most. */
const NAME_BYTES_MAX = 128
const VALUE_BYTES_MAX = 256

const factName = z.string().min(1).refine(takes(NAME_BYTES_MAX), `more than ${NAME_BYTES_MAX} bytes`)
const factValue = z.string().refine(takes(VALUE_BYTES_MAX), `more than ${VALUE_BYTES_MAX} bytes`)
const count = z.int().min(1).max(1_000_000)

const factsSchema = z.record(factName, factValue).refine((facts) => Object.keys(facts).length <= FACTS_MAX, {
  error: `more than ${FACTS_MAX} facts`,
})
const majoritiesSchema = z
  .array(z.strictObject({ fact: factName, pool: z.string().max(1_024), value: factValue, nodes: count, of: count }))
  .max(4_096) satisfies z.ZodType<readonly PoolMajority[]>

/** Nodes with the same roles; the roster says them, so that every node knows its own and nobody else's word counts. */
export function poolOf({ roles }: { readonly roles: readonly string[] }): string {
  return roles.length === 0 ? 'without a role' : roles.toSorted().join('+')
}

/** Whether it may stand among the facts of a node, beside those that it has by other names. */
export function hasRoom(names: Iterable<string>, name: string, value: string): boolean {
  if (!(factName.safeParse(name).success && factValue.safeParse(value).success)) return false
  const others = [...names].filter((other) => other !== name && isVersion(other) === isVersion(name))
  return others.length < (isVersion(name) ? VERSIONS_MAX : OTHERS_MAX)
}

/** `kernel-version`, and not `kernel-params/kernel.version`. */
function isVersion(fact: string): boolean {
  return /^[^/]+-version$/.test(fact)
}

export function encodeFacts(facts: Facts): Uint8Array {
  return encode(facts)
}

/** Throws an Error for anything else. */
export function decodeFacts(bytes: Uint8Array): Facts {
  return factsSchema.parse(decode(bytes, { strict: true, rejectDuplicateMapKeys: true }))
}

/** As many as fit, in their order. */
export function encodeMajorities(majorities: readonly PoolMajority[]): Uint8Array {
  for (let length = majorities.length; ; length = Math.floor(length / 2)) {
    const bytes = encode(majorities.slice(0, length))
    if (bytes.length <= NOTE_BYTES_MAX || length === 0) return bytes
  }
}

/** Throws an Error for anything else. */
export function decodeMajorities(bytes: Uint8Array): readonly PoolMajority[] {
  return majoritiesSchema.parse(decode(bytes, { strict: true, rejectDuplicateMapKeys: true }))
}

function takes(bytesMax: number) {
  return (text: string) => Buffer.byteLength(text) <= bytesMax
}
