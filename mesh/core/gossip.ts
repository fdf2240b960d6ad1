/**
 * What everybody says, spread to everybody: a statement is passed on once over every open edge when it is first heard
 * (a flood over a graph of degree 2K reaches all in a few hops), and what a node missed is fetched by comparing digests
 * with a neighbour. Only the newest statement under a key is kept, each for its own lifetime, so memory is bounded by
 * members × keys.
 */
import type { Enrolment } from './enrolment.ts'
import type { Keyring, Millis, SignedStatement, Statement, StatementBody } from './model.ts'

/** Distinct keys one signer may hold: its detectors' reports, its remediations, one accusation a subject. */
export const KEYS_PER_SIGNER = 512

/** The size of one digest, about; all keys of one signer fit. A mesh that knows more compares it in turns. */
const DIGEST_BYTES = 256 * 1024
/** What an entry takes beside its two names: two numbers and the CBOR around them. */
const DIGEST_ENTRY_BYTES = 24
/** Sorts behind every name. */
const LAST_SIGNER = '\uffff'

/** What is sent back for one digest, so that it fits one frame; the next comparison brings the rest. */
export const SYNC_STATEMENTS = 256
export const SYNC_NOTE_BYTES = 128 * 1024

/** The largest note; a detector's report that all is well is about 250 bytes. */
export const NOTE_BYTES_MAX = 64 * 1024

export interface Heard {
  readonly signed: SignedStatement
  /** Age since it was signed, as far as its way here told. */
  readonly ageMs: Millis
}

/** What a node knows under one key: [signer, key, boot, seq]. */
export type DigestEntry = readonly [signer: string, key: string, boot: number, seq: number]

/** All that a node knows of the signers from `from` to `to`, by name: of those, what is not in it is not known. */
export interface Digest {
  readonly from: string
  readonly to: string
  readonly entries: readonly DigestEntry[]
}

export type Reception =
  | { readonly kind: 'fresh' }
  /** An accusation that was known as history only, and is now heard as it is said: from now on it is a vote. */
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly why: RefusedWhy }

export type RefusedWhy = 'expired' | 'signature' | 'serial' | 'authority' | 'bound'

interface Kept {
  readonly signed: SignedStatement
  readonly expiresAt: Millis
  /** It was fetched, and not yet heard as it was said. */
  readonly history: boolean
}

type Version = Pick<Statement, 'serial' | 'boot' | 'seq'>

/** The slot a statement takes among its signer's. */
export function keyOf(body: StatementBody): string {
  switch (body.kind) {
    case 'accusation':
    case 'down':
      return `${body.kind}/${body.subject}`
    case 'announcement':
      return body.kind
    case 'note':
      return `note/${body.topic}`
  }
}

export class Gossip {
  readonly #keyring: Keyring
  readonly #enrolment: Enrolment
  readonly #self: { readonly node: string; readonly serial: number; readonly boot: number }
  readonly #kept = new Map<string, Map<string, Kept>>()
  /** The version last kept under each key that has expired: whoever plays it again must not bring it back to life. */
  readonly #expired = new Map<string, Map<string, Version>>()
  #seq = 0
  #digestFrom = ''

  constructor(self: { node: string; serial: number; boot: number }, keyring: Keyring, enrolment: Enrolment) {
    this.#self = self
    this.#keyring = keyring
    this.#enrolment = enrolment
  }

  /** Signs and keeps a statement of this node's own. */
  publish(now: Millis, body: StatementBody, ttlMs: Millis): SignedStatement {
    const { node, serial, boot } = this.#self
    const statement: Statement = { signer: node, serial, boot, seq: ++this.#seq, ttlMs, body }
    const signed = { statement, signature: this.#keyring.sign('statement', statement) }
    this.#slots(node).set(keyOf(body), { signed, expiresAt: now + ttlMs, history: false })
    return signed
  }

  receive(now: Millis, { signed, ageMs }: Heard, history: boolean): Reception {
    const { statement } = signed
    const { signer } = statement
    // Looked up, not made: a name that nobody is enrolled under must leave nothing behind.
    const slots = this.#kept.get(signer)
    const key = keyOf(statement.body)
    const kept = slots?.get(key)
    const known = kept?.signed.statement ?? this.#expired.get(signer)?.get(key)
    // Else whoever hands an accusation on as history, and is quicker than the flood, takes the vote away.
    const confirms = kept?.history === true && !history && statement.body.kind === 'accusation'
    if (known !== undefined && !isNewer(statement, known) && !(confirms && isSameVersion(statement, known))) {
      return { kind: 'known' }
    }
    const why = this.#refusal(statement, ageMs, kept === undefined && (slots?.size ?? 0) >= KEYS_PER_SIGNER)
    if (why !== undefined) return { kind: 'refused', why }
    // Last, because it is by far the dearest check.
    if (!this.#keyring.verify(signer, 'statement', statement, signed.signature)) {
      return { kind: 'refused', why: 'signature' }
    }
    const expiresAt = now + statement.ttlMs - ageMs
    this.#slots(signer).set(key, { signed, expiresAt, history })
    return { kind: kept !== undefined && isSameVersion(statement, kept.signed.statement) ? 'confirmed' : 'fresh' }
  }

  expire(now: Millis): void {
    for (const [signer, slots] of this.#kept) {
      for (const [key, { signed, expiresAt }] of slots) {
        if (expiresAt > now) continue
        slots.delete(key)
        this.#rememberExpired(signer, key, signed.statement)
      }
      if (slots.size === 0) this.#kept.delete(signer)
    }
  }

  /** As much as fits, from where the last one ended: everything gets its turn. */
  digest(): Digest {
    const from = this.#digestFrom
    const entries: DigestEntry[] = []
    let bytes = 0
    let to = from
    for (const signer of [...this.#kept.keys()].toSorted()) {
      if (signer < from) continue
      const own = [...(this.#kept.get(signer) ?? [])].map(
        ([key, { signed }]): DigestEntry => [signer, key, signed.statement.boot, signed.statement.seq],
      )
      bytes += own.reduce((sum, [, key]) => sum + signer.length + key.length + DIGEST_ENTRY_BYTES, 0)
      if (bytes > DIGEST_BYTES && entries.length > 0) {
        this.#digestFrom = signer
        return { from, to, entries }
      }
      entries.push(...own)
      to = signer
    }
    this.#digestFrom = ''
    return { from, to: LAST_SIGNER, entries }
  }

  /** What this node knows and the sender of the digest does not, or only in an older form. */
  missingIn(now: Millis, { from, to, entries }: Digest): readonly Heard[] {
    const theirs = new Map(entries.map(([signer, key, boot, seq]) => [`${signer}\n${key}`, { boot, seq }]))
    const missing: Heard[] = []
    let bytes = 0
    for (const [signer, slots] of this.#kept) {
      if (signer < from || signer > to) continue
      for (const [key, { signed, expiresAt }] of slots) {
        const known = theirs.get(`${signer}\n${key}`)
        const { boot, seq, ttlMs } = signed.statement
        if (expiresAt <= now || (known !== undefined && (known.boot - boot || known.seq - seq) >= 0)) continue
        missing.push({ signed, ageMs: Math.max(0, ttlMs - (expiresAt - now)) })
        bytes += signed.statement.body.kind === 'note' ? signed.statement.body.bytes.length : 0
        if (missing.length >= SYNC_STATEMENTS || bytes >= SYNC_NOTE_BYTES) return missing
      }
    }
    return missing
  }

  #refusal(statement: Statement, ageMs: Millis, overBound: boolean): RefusedWhy | undefined {
    if (ageMs >= statement.ttlMs) return 'expired'
    if (this.#enrolment.serialOf(statement.signer) !== statement.serial) return 'serial'
    if (!this.#enrolment.mayState(statement.signer, statement.body)) return 'authority'
    if (overBound) return 'bound'
    return undefined
  }

  #rememberExpired(signer: string, key: string, { serial, boot, seq }: Statement): void {
    const versions = this.#expired.get(signer) ?? new Map<string, Version>()
    this.#expired.set(signer, versions)
    // Deleted first, so that the key moves to the end and the oldest stays in front.
    versions.delete(key)
    versions.set(key, { serial, boot, seq })
    const [oldest] = versions.keys()
    if (versions.size > KEYS_PER_SIGNER && oldest !== undefined) versions.delete(oldest)
  }

  #slots(signer: string): Map<string, Kept> {
    let slots = this.#kept.get(signer)
    if (slots === undefined) {
      slots = new Map()
      this.#kept.set(signer, slots)
    }
    return slots
  }
}

function isSameVersion(a: Version, b: Version): boolean {
  return a.serial === b.serial && a.boot === b.boot && a.seq === b.seq
}

function isNewer(statement: Version, known: Version): boolean {
  return (statement.serial - known.serial || statement.boot - known.boot || statement.seq - known.seq) > 0
}
