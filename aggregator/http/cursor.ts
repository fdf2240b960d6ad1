/**
 * Cursors: where in a list somebody is. Those of events name their store, since a number means another event in another
 * one; those of other lists hold the last item's own place, which is the same wherever the list is asked for.
 */
import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Journal } from '../model.ts'
import { STORE_NAME } from '../store/store-name.ts'
import { ProblemError } from './problem.ts'

export interface EventCursor {
  readonly store: string
  readonly seq: number
}

/** Of a list's cursor, encoded: three names of 253 characters and their quotes fit. */
const KEY_CHARS_MAX = 2_000

const EVENT_CURSOR = /^([\w-]{1,64})\.(0|[1-9]\d{0,15})$/

/** As `next` of a page of events, or the id of one in the stream. */
export const eventCursor = z
  .string()
  .max(100)
  .refine((text) => EVENT_CURSOR.test(text), 'is no cursor: take it as an answer gave it')
  .transform((text): EventCursor => {
    const [, store = '', seq] = EVENT_CURSOR.exec(text) ?? []
    return { store, seq: Number(seq) }
  })

export function eventCursorText({ store, seq }: EventCursor): string {
  return `${store}.${seq}`
}

/**
 * What cursors call this journal. It is of the file and of the node: a copy that another node goes on writing gives other
 * events the same numbers.
 */
export function storeName(journal: Pick<Journal, 'readFact' | 'writeFact'>, node: string): string {
  let own = journal.readFact(STORE_NAME)
  if (own === null) {
    own = randomBytes(16).toString('hex')
    journal.writeFact(STORE_NAME, own)
  }
  return createHash('sha256').update(`${own}/${node}`).digest('base64url').slice(0, 12)
}

/** The place of an item of a list, as a cursor. */
export function keyCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

export const listCursor = z.string().max(KEY_CHARS_MAX).transform(readKey)

function readKey(text: string, { addIssue }: z.RefinementCtx): readonly string[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (Array.isArray(key) && key.every((part) => typeof part === 'string')) return key
  } catch {
    // It is not JSON.
  }
  addIssue({ code: 'custom', message: 'is no cursor: take it as an answer gave it' })
  return z.NEVER
}

/** Thrown for a cursor of another store: its number is another event here. */
export function anotherStore(field: string): ProblemError {
  const message = 'this cursor is of another history than the one that answers'
  return new ProblemError({
    status: 400,
    title: 'Another history',
    detail: message,
    remedy: 'begin again without it: each aggregator counts its events itself',
    errors: [{ field, message }],
  })
}
