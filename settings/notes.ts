/** Settings on the mesh: the leader says which version is for whom, and every node says which one it runs. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { decode, encode } from 'cborg'
import { z } from 'zod'
import { isReached, type Placed } from './stages.ts'

/** Which settings are for whom. They themselves are fetched from neighbours, by their digest. */
export const SETTINGS_TOPIC = 'settings'
export const APPLIED_TOPIC = 'settings-applied'

const WHY_CHARS_MAX = 1_000
/** A pool that a Node's label names has at most 63 characters; each takes some 30 bytes beside it. */
const POOLS_MAX = 500
const STAGES_MAX = 100

const version = z.int().min(1)
const why = z.string().max(WHY_CHARS_MAX)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const named = z.strictObject({ version, digest })
const place = z.string().regex(/^[0-9a-f]{16}$/)

const upcoming = z.strictObject({
  version,
  digest,
  /** Orders the nodes. */
  seed: z.string().min(1).max(64),
  /** By pool, the last node that has it already; null: everybody. */
  reach: z
    .record(z.string().max(63), place)
    .refine((reach) => Object.keys(reach).length <= POOLS_MAX)
    .nullable(),
  /** Grows with whatever is said of this version. */
  step: z.int().min(0),
  /** How it goes on: shares of each pool, and how long each stage is watched. Whoever leads next goes on by this. */
  shares: z.array(z.number().gt(0).lte(1)).min(1).max(STAGES_MAX),
  soakMs: z.number().min(0),
  onHalt: z.enum(['hold', 'rollback']),
  /** Why it goes no further; null while it does. */
  halted: why.nullable(),
})

const announcement = z.strictObject({
  /** For every node that the next one is not for yet. */
  current: named,
  next: upcoming.nullable(),
})

/** Settings by their version and the SHA-256 of their signed bytes. */
export type Named = z.infer<typeof named>
export type Upcoming = z.infer<typeof upcoming>
export type Announcement = z.infer<typeof announcement>

export function digestOf(signedSettings: Uint8Array): string {
  return bytesToHex(sha256(signedSettings))
}

/** The settings that this node is to run. A version that was halted is taken up by nobody any more. */
export function targetOf({ current, next }: Announcement, node: Placed): Named {
  return next !== null && next.halted === null && isReached(next.reach, next.seed, node) ? next : current
}

/** Whether what was said as `a` is later than `b`, whoever said it and in whatever order they came. */
export function isLater(a: Announcement, b: Announcement): boolean {
  const difference = (a.next ?? a.current).version - (b.next ?? b.current).version
  // Of one version it is said last that it is in force.
  const stepOf = ({ next }: Announcement) => next?.step ?? Number.POSITIVE_INFINITY
  return difference > 0 || (difference === 0 && stepOf(a) > stepOf(b))
}

export function encodeAnnouncement(said: Announcement): Uint8Array {
  return encode(said)
}

/** Throws an Error for anything else. */
export function decodeAnnouncement(bytes: Uint8Array): Announcement {
  return announcement.parse(decode(bytes, { strict: true, rejectDuplicateMapKeys: true }))
}

const appliedSchema = z.strictObject({
  /** 0: none yet, everything runs with its defaults. */
  version: z.int().min(0),
  /** What it was to run and does not. */
  refused: z.strictObject({ version, why }).exactOptional(),
})

export type AppliedSettings = z.infer<typeof appliedSchema>

export function encodeApplied(applied: AppliedSettings): Uint8Array {
  const { version, refused } = applied
  return encode(
    refused === undefined
      ? { version }
      : { version, refused: { ...refused, why: refused.why.slice(0, WHY_CHARS_MAX) } },
  )
}

/** Throws an Error for anything else. */
export function decodeApplied(bytes: Uint8Array): AppliedSettings {
  return appliedSchema.parse(decode(bytes, { strict: true }))
}
