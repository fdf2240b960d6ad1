/**
 * What a node has heard and said. Of each signer only the newest statement under a key is kept, each for its own lifetime,
 * so memory is bounded. What an aggregator says concerns everybody: it is kept whole, and what a node missed of it is
 * fetched by comparing digests with a neighbour. What a member says concerns the leader: on its way up it is kept just
 * long enough to be known again. A leave is kept for as long as it holds: whoever left cannot say it again.
 */
import type { Membership } from './membership.ts'
import type { DownNotice, Keyring, Millis, SignedStatement, Statement, StatementBody } from './model.ts'
import { isNear } from './near.ts'

/** Distinct keys one member may hold: its detectors' reports, its remediations, one accusation a subject. */
export const KEYS_PER_MEMBER = 512

/** The same for an aggregator: its down list, permits and settings. A digest of as many fits one frame. */
export const KEYS_PER_AGGREGATOR = 4_096

/** The size of one part of a digest, about, so that it fits a frame; and what an entry takes beside its two names. */
const DIGEST_BYTES = 192 * 1024
const DIGEST_ENTRY_BYTES = 24

/** How long a member remembers what it passed up. Copies by another way come within a second. */
const RELAYED_FOR_MS = 60_000

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

/** All that a node knows under the keys of one part of so many: of those, what is not in it is not known. */
export interface Digest {
  readonly part: number
  readonly parts: number
  readonly entries: readonly DigestEntry[]
}

export type Reception =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly why: RefusedWhy }

export type RefusedWhy = 'expired' | 'signature' | 'serial' | 'authority' | 'bound'

interface Kept {
  readonly signed: SignedStatement
  readonly takenAt: Millis
  /** When it stops to hold. */
  readonly expiresAt: Millis
  /** When it is dropped here. */
  readonly keptUntil: Millis
}

type Version = Pick<Statement, 'serial' | 'boot' | 'seq'>

/** The slot a statement takes among its signer's. */
export function keyOf(body: StatementBody): string {
  switch (body.kind) {
    case 'accusation':
    case 'down':
      return `${body.kind}/${body.subject}`
    case 'announcement':
    case 'leave':
      return body.kind
    case 'note':
      return `note/${body.topic}`
  }
}

export class Gossip {
  readonly #keyring: Keyring
  readonly #membership: Membership
  readonly #self: { readonly node: string; readonly serial: number; readonly boot: number }
  readonly #keepsAll: boolean
  readonly #kept = new Map<string, Map<string, Kept>>()
  /** The version last kept under each key that has expired: whoever plays it again must not bring it back to life. */
  readonly #expired = new Map<string, Map<string, Version>>()
  #seq = 0

  constructor(self: { node: string; serial: number; boot: number }, keyring: Keyring, membership: Membership) {
    this.#self = self
    this.#keyring = keyring
    this.#membership = membership
    this.#keepsAll = membership.isAggregator(self.node)
  }

  /** Signs and keeps a statement of this node's own. */
  publish(now: Millis, body: StatementBody, ttlMs: Millis): SignedStatement {
    const { node, serial, boot } = this.#self
    const statement: Statement = { signer: node, serial, boot, seq: ++this.#seq, ttlMs, body }
    const signed = { statement, signature: this.#keyring.sign('statement', statement) }
    const expiresAt = now + ttlMs
    this.#slots(node).set(keyOf(body), { signed, takenAt: now, expiresAt, keptUntil: expiresAt })
    return signed
  }

  receive(now: Millis, { signed, ageMs }: Heard): Reception {
    const { statement } = signed
    const { signer } = statement
    // Looked up, not made: a name that nobody is enrolled under must leave nothing behind.
    const slots = this.#kept.get(signer)
    const key = keyOf(statement.body)
    const kept = slots?.get(key)
    const known = kept?.signed.statement ?? this.#expired.get(signer)?.get(key)
    if (known !== undefined && !isNewer(statement, known)) return { kind: 'known' }
    const why = this.#refusal(statement, ageMs, kept === undefined && (slots?.size ?? 0) >= this.#keysOf(signer))
    if (why !== undefined) return { kind: 'refused', why }
    // Last, because it is by far the dearest check.
    if (!this.#keyring.verify(signer, 'statement', statement, signed.signature)) {
      return { kind: 'refused', why: 'signature' }
    }
    const expiresAt = now + statement.ttlMs - ageMs
    const isKept = this.#isForMe(signer) || statement.body.kind === 'leave'
    const keptUntil = isKept ? expiresAt : Math.min(expiresAt, now + RELAYED_FOR_MS)
    this.#slots(signer).set(key, { signed, takenAt: now, expiresAt, keptUntil })
    return { kind: 'fresh' }
  }

  expire(now: Millis): void {
    for (const [signer, slots] of this.#kept) {
      for (const [key, { signed, keptUntil }] of slots) {
        if (keptUntil > now) continue
        slots.delete(key)
        if (this.#isForMe(signer)) this.#rememberExpired(signer, key, signed.statement)
      }
      if (slots.size === 0) this.#kept.delete(signer)
    }
  }

  /** What this node itself says and still holds, said anew: whoever knows the old form passes the new one on. */
  renew(now: Millis): readonly SignedStatement[] {
    const own = [...(this.#kept.get(this.#self.node)?.values() ?? [])].filter(({ expiresAt }) => expiresAt > now)
    return own.map(({ signed, expiresAt }) => this.publish(now, signed.statement.body, expiresAt - now))
  }

  /** What this node says to its neighbours and still holds. */
  near(now: Millis): readonly Heard[] {
    const own = [...(this.#kept.get(this.#self.node)?.values() ?? [])]
    return heardIn(
      now,
      own.filter(({ signed }) => isNear(signed.statement.body)),
    )
  }

  /** What members said that was taken in, here or from others, at `since` or later. */
  ofMembers(now: Millis, since: Millis): readonly Heard[] {
    const members = [...this.#kept].filter(([signer]) => !this.#membership.isAggregator(signer))
    return heardIn(
      now,
      members.flatMap(([, slots]) => [...slots.values()]).filter(({ takenAt }) => takenAt >= since),
    )
  }

  /** Leaves of others that still hold, unless their node has been heard in a later life since. */
  leaves(now: Millis): readonly Heard[] {
    const held = [...this.#kept].flatMap(([signer, slots]) => {
      const leave = slots.get('leave')
      if (leave === undefined || signer === this.#self.node) return []
      const isBack = [...slots.values()].some(({ signed }) => signed.statement.boot > leave.signed.statement.boot)
      return isBack ? [] : [leave]
    })
    return heardIn(now, held)
  }

  /** What still holds of the down lists of all aggregators. */
  downNotices(now: Millis): readonly DownNotice[] {
    return [...this.#kept].flatMap(([signer, slots]) => {
      if (!this.#membership.isAggregator(signer)) return []
      return [...slots.values()].flatMap(({ signed: { statement }, expiresAt }) => {
        return statement.body.kind === 'down' && expiresAt > now ? [statement.body] : []
      })
    })
  }

  /** All that this node knows of what aggregators say, in as many parts as it takes; nearly always one. */
  digest(): readonly Digest[] {
    const entries = [...this.#kept].flatMap(([signer, slots]) => {
      if (!this.#membership.isAggregator(signer)) return []
      return [...slots].map(([key, { signed }]): DigestEntry => {
        return [signer, key, signed.statement.boot, signed.statement.seq]
      })
    })
    const bytes = entries.reduce((sum, [signer, key]) => sum + signer.length + key.length + DIGEST_ENTRY_BYTES, 0)
    const parts = Math.max(1, Math.ceil(bytes / DIGEST_BYTES))
    return Array.from({ length: parts }, (_, part) => {
      return { part, parts, entries: parts === 1 ? entries : entries.filter(([, key]) => partOf(key, parts) === part) }
    })
  }

  /** What this node knows and the sender of the digest does not, or only in an older form. */
  missingIn(now: Millis, { part, parts, entries }: Digest): readonly Heard[] {
    const theirs = new Map(entries.map(([signer, key, boot, seq]) => [`${signer}\n${key}`, { boot, seq }]))
    const missing: Kept[] = []
    let bytes = 0
    for (const [signer, slots] of this.#kept) {
      if (!this.#membership.isAggregator(signer)) continue
      for (const [key, kept] of slots) {
        if (parts > 1 && partOf(key, parts) !== part) continue
        const known = theirs.get(`${signer}\n${key}`)
        const { boot, seq, body } = kept.signed.statement
        if (kept.expiresAt <= now || (known !== undefined && (known.boot - boot || known.seq - seq) >= 0)) continue
        missing.push(kept)
        bytes += body.kind === 'note' ? body.bytes.length : 0
        if (missing.length >= SYNC_STATEMENTS || bytes >= SYNC_NOTE_BYTES) return heardIn(now, missing)
      }
    }
    return heardIn(now, missing)
  }

  /** Whether this node keeps what the signer says for as long as it holds. */
  #isForMe(signer: string): boolean {
    return this.#keepsAll || this.#membership.isAggregator(signer)
  }

  #keysOf(signer: string): number {
    return this.#membership.isAggregator(signer) ? KEYS_PER_AGGREGATOR : KEYS_PER_MEMBER
  }

  #refusal(statement: Statement, ageMs: Millis, overBound: boolean): RefusedWhy | undefined {
    if (ageMs >= statement.ttlMs) return 'expired'
    if (this.#membership.serialOf(statement.signer) !== statement.serial) return 'serial'
    if (!this.#membership.mayState(statement.signer, statement.body)) return 'authority'
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
    if (versions.size > this.#keysOf(signer) && oldest !== undefined) versions.delete(oldest)
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

/** Which part of a digest a key is in: any spreading will do, as long as everybody has the same. */
function partOf(key: string, parts: number): number {
  let sum = 7
  for (let index = 0; index < key.length; index++) sum = (sum * 31 + key.charCodeAt(index)) % 1_000_003
  return sum % parts
}

/** With their age by now; those that no longer hold are left out. */
function heardIn(now: Millis, kept: readonly Kept[]): readonly Heard[] {
  return kept
    .filter(({ expiresAt }) => expiresAt > now)
    .map(({ signed, expiresAt }) => ({ signed, ageMs: Math.max(0, signed.statement.ttlMs - (expiresAt - now)) }))
}

function isNewer(statement: Version, known: Version): boolean {
  return (statement.serial - known.serial || statement.boot - known.boot || statement.seq - known.seq) > 0
}
