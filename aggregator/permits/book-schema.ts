/** The record as text, bounded on the way in and out. */
import { z } from 'zod'
import { PHASES } from '../../remediators/contract.ts'
import type { Permit } from '../../remediators/permits.ts'
import { type Book, EMPTY_BOOK } from './book.ts'

/** What a ConfigMap may hold is 1 MiB in all (Kubernetes' documentation of ConfigMap). */
const TEXT_BYTES_MAX = 768 * 1024

const name = z.string().min(1).max(253)
const text = z.string().max(1_000)
const time = z.iso.datetime()
const whole = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)

const permit = z.strictObject({
  id: z.string().min(1).max(128),
  node: name,
  planId: z.string().min(1).max(128),
  planHash: hash,
  evidenceHash: hash,
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  at: time,
}) satisfies z.ZodType<Permit>

const scope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.literal('pool'), name }),
  z.strictObject({ kind: z.literal('node'), name }),
])

const releaseScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.literal('pool'), name }),
  z.strictObject({ kind: z.literal('reason'), name }),
])

const bookSchema = z.strictObject({
  term: whole,
  grants: z.array(
    z.strictObject({
      permit,
      asked: z.strictObject({ serial: whole, boot: whole, seq: whole }),
      pool: name.exactOptional(),
      plan: z.strictObject({
        remediator: z.string().min(1).max(63),
        reason: z.string().min(1).max(63),
        reach: z.enum(['none', 'process', 'host', 'workloads', 'machine']),
      }),
    }),
  ),
  ended: z.array(
    z.strictObject({
      node: name,
      pool: name.exactOptional(),
      planId: z.string().min(1).max(128),
      plannedAt: time,
      remediator: z.string().min(1).max(63),
      reason: z.string().min(1).max(63),
      cause: text,
      phase: z.enum(PHASES),
      at: time,
    }),
  ),
  pauses: z.array(z.strictObject({ scope, by: name, reason: text, at: time, until: time })),
  releases: z.array(z.strictObject({ scope: releaseScope, by: name, at: time })),
}) satisfies z.ZodType<Book>

/**
 * Undefined, or empty, is a record that nobody has written yet. Throws an Error for one that cannot be read: that permits
 * are outstanding is then not known, so none may be granted.
 */
export function parseBook(stored: string | undefined): Book {
  if (stored === undefined || stored === '') return EMPTY_BOOK
  try {
    return bookSchema.parse(JSON.parse(stored))
  } catch (error) {
    throw new Error('the record of permits is damaged', { cause: error })
  }
}

/** Throws an Error when the permits alone do not fit; of what ended, the oldest are left out. */
export function formatBook(book: Book): string {
  for (let kept = book.ended.length; ; kept = Math.floor(kept / 2)) {
    const formatted = JSON.stringify({ ...book, ended: kept === 0 ? [] : book.ended.slice(-kept) })
    if (Buffer.byteLength(formatted) <= TEXT_BYTES_MAX) return formatted
    if (kept === 0) throw new Error(`the record of permits is over ${TEXT_BYTES_MAX} bytes`)
  }
}
