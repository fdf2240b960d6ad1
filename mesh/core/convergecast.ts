/**
 * One question to many nodes, and each node's own signed row on the way back: a union of rows by name, never a sum
 * (docs/protocol.md section 12). Whoever is asked for a row is also told whose rows to bring along, so no tree is kept
 * anywhere: each node parts the names that it was given among a few of them, and they do the same.
 */
import type { Millis, Signature } from './model.ts'

/** What an aggregator asks, signed by it under the purpose `query`. */
export interface Query {
  readonly asker: string
  /** 16 random bytes, hex: rows are signed for it, so that none is good for another question. */
  readonly nonce: string
  readonly topic: string
  /** What the topic makes of them. */
  readonly parameters: Uint8Array
  /** From the question to the last row that counts. */
  readonly withinMs: Millis
}

export interface SignedQuery {
  readonly query: Query
  readonly signature: Signature
}

/** What a node says of itself, signed by it under the purpose `row` as `{ nonce, node, bytes }`. */
export interface SignedRow {
  readonly node: string
  readonly bytes: Uint8Array
  readonly signature: Signature
}

/** As one node hands the question to the next. */
export interface Hop {
  readonly query: SignedQuery
  /** Until the answer is to be given, on the receiver's own clock. */
  readonly leftMs: Millis
  /** Whose rows to bring beside one's own. */
  readonly names: readonly string[]
}

/** Why there is no row: nobody reached it, or it was reached and did not answer. */
export type Unheard = 'unreachable' | 'no-answer'

export interface Gathered {
  readonly rows: readonly SignedRow[]
  /** Of those whom somebody asked in vain. Nobody signs this: it is told to people, and nothing follows from it. */
  readonly unheard: readonly { readonly node: string; readonly why: Unheard }[]
}

/** One to be asked, with those whose rows it is to bring. */
export interface Group {
  readonly head: string
  readonly names: readonly string[]
}

/** What a hop may take beyond the work itself: two ends that are busy, and the frame's way (docs/protocol.md section 7). */
export const HOP_MS = 150

/**
 * So many are asked directly, and no more heads than this: 64 dials take 0.16 s of a core, and of 10,000 nodes each
 * head then brings 156 rows, which fit into one frame.
 */
export const HEADS_MAX = 64

/** Parts names among some of them; `isNear`: there is an edge to it, so it lives and costs no dial. */
export function groupsOf(names: readonly string[], isNear: (node: string) => boolean): readonly Group[] {
  const heads = names.length <= HEADS_MAX ? names.length : Math.min(HEADS_MAX, Math.ceil(Math.sqrt(names.length)))
  const nearFirst = [...names.filter(isNear), ...names.filter((node) => !isNear(node))]
  return dealt(nearFirst.slice(0, heads), nearFirst.slice(heads))
}

/** Deals names to heads in turn. */
export function dealt(heads: readonly string[], names: readonly string[]): readonly Group[] {
  return heads.map((head, turn) => ({ head, names: names.filter((_, index) => index % heads.length === turn) }))
}

/** The part of a row that is signed. */
export function rowPayload(nonce: string, { node, bytes }: Pick<SignedRow, 'node' | 'bytes'>) {
  return { nonce, node, bytes }
}
