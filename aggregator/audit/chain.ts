/**
 * The links of the history's chain: each event's hash covers the event as it is stored and the hash before it, so that
 * nothing can be changed, removed, put in or moved without every later hash being another.
 */
import { createHash } from 'node:crypto'
import { encodeValue } from '../../mesh/wire/codec.ts'
import type { Event } from '../event-model.ts'

/** An event as it stands in the store. */
export interface AuditRow extends Omit<Event, 'data'> {
  readonly seq: number
  /** JSON text, just as it is stored. */
  readonly data: string
}

export interface ChainedRow extends AuditRow {
  /** SHA-256, hex. Null: somebody took it away. */
  readonly hash: string | null
}

/** What stands before the first link. */
export const CHAIN_ROOT = '0'.repeat(64)

/** SHA-256, hex, over the deterministic CBOR (RFC 8949, 4.2) of `[hash before as bytes, event as a map]`. */
export function linkHash(before: string, row: AuditRow): string {
  const { seq, id, at, kind, node, tone, summary, causedBy, data } = row
  const event = { seq, id, at, kind, node, tone, summary, causedBy, data }
  return createHash('sha256')
    .update(encodeValue([Buffer.from(before, 'hex'), event]))
    .digest('hex')
}
