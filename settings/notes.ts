/** Settings on the mesh: the aggregator says them, and every node says which version it runs. */
import { decode, encode } from 'cborg'
import { z } from 'zod'

/** The signed settings themselves; encoding and acceptance are in signed.ts. */
export const SETTINGS_TOPIC = 'settings'
export const APPLIED_TOPIC = 'settings-applied'

const appliedSchema = z.strictObject({
  /** 0: none yet, everything runs with its defaults. */
  version: z.int().min(0),
})

export type AppliedSettings = z.infer<typeof appliedSchema>

export function encodeApplied(applied: AppliedSettings): Uint8Array {
  return encode(applied)
}

/** Throws an Error for anything else. */
export function decodeApplied(bytes: Uint8Array): AppliedSettings {
  return appliedSchema.parse(decode(bytes, { strict: true }))
}
