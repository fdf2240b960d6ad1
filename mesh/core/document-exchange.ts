/**
 * How a document comes to everybody who has heard its name, the SHA-256 of its bytes: who lacks it asks one neighbour after
 * the other, and has it for others from then on. What it says is for its owner to judge. So a statement that goes to all
 * can stay small, and what it is about crosses each edge once at most.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Links } from './links.ts'
import type { Effect, Message } from './message.ts'
import type { Millis } from './model.ts'

/** The largest document, bytes. */
export const DOCUMENT_BYTES_MAX = 256 * 1024

/** Enough for 256 KiB on a slow line; a neighbour that has gone silent holds nobody up for longer. */
const ANSWER_MS = 2_000

/** When no neighbour has it: it is on its way to them, or nobody has it any more. */
const PAUSE_MIN_MS = 1_000
const PAUSE_MAX_MS = 30_000

/** A neighbour is given the same document once in so long: it asks again only when it has lost an answer. */
const SERVE_EVERY_MS = 1_000

const NOTHING: readonly Effect[] = []
const NONE_HERE = new Uint8Array()

export class DocumentExchange {
  readonly #held = new Map<string, Uint8Array>()
  /** When which peer was last given which of those. */
  readonly #served = new Map<string, Map<string, Millis>>()
  #sought: readonly string[] = []
  #asked: { readonly peer: string; readonly hash: string; readonly untilMs: Millis } | undefined
  /** Since the last pause. */
  readonly #tried = new Set<string>()
  #pauseMs = PAUSE_MIN_MS
  #notBefore: Millis = Number.NEGATIVE_INFINITY

  /** What the owner has for others, and lacks itself, the most urgent first. */
  take(holds: readonly Uint8Array[], seeks: readonly string[]): readonly Effect[] {
    const held = new Map(holds.map((bytes) => [nameOf(bytes), bytes]))
    this.#held.clear()
    for (const [hash, bytes] of held) this.#held.set(hash, bytes)
    for (const hash of this.#served.keys()) if (!held.has(hash)) this.#served.delete(hash)
    const sought = seeks.filter((hash) => !held.has(hash))
    if (sought[0] !== this.#sought[0]) this.#startAnew()
    this.#sought = sought
    return NOTHING
  }

  /** Empty bytes say that there is none here, so that the next neighbour is asked at once. */
  wanted(now: Millis, from: string, hash: string): readonly Effect[] {
    const bytes = this.#held.get(hash)
    if (bytes === undefined) return send(from, { kind: 'document', hash, bytes: NONE_HERE })
    const served = this.#served.get(hash) ?? new Map<string, Millis>()
    if (now - (served.get(from) ?? Number.NEGATIVE_INFINITY) < SERVE_EVERY_MS) return NOTHING
    this.#served.set(hash, served.set(from, now))
    return send(from, { kind: 'document', hash, bytes })
  }

  /** Only what that peer was asked for, and only under its true name. */
  offered(from: string, hash: string, bytes: Uint8Array): readonly Effect[] {
    if (this.#asked?.peer !== from || this.#asked.hash !== hash) return [{ kind: 'dropped', why: 'document', from }]
    this.#asked = undefined
    this.#tried.add(from)
    if (bytes.length === 0) return NOTHING
    if (nameOf(bytes) !== hash) return [{ kind: 'dropped', why: 'document', from }]
    this.#sought = this.#sought.filter((each) => each !== hash)
    this.#startAnew()
    return [{ kind: 'documentCame', hash, bytes }]
  }

  /** Asks the next neighbour, by chance, when it is time to. */
  tick(now: Millis, links: Links, random: () => number): readonly Effect[] {
    const [hash] = this.#sought
    if (hash === undefined || now < this.nextAt) return NOTHING
    if (this.#asked !== undefined) this.#tried.add(this.#asked.peer)
    this.#asked = undefined
    const untried = links.peers.filter((peer) => !this.#tried.has(peer))
    const peer = untried[Math.floor(random() * untried.length)]
    if (peer === undefined) {
      this.#tried.clear()
      this.#notBefore = now + this.#pauseMs
      this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MAX_MS)
      return NOTHING
    }
    this.#asked = { peer, hash, untilMs: now + ANSWER_MS }
    return send(peer, { kind: 'want-document', hash })
  }

  /** Infinity while nothing is sought. */
  get nextAt(): Millis {
    return this.#sought.length === 0 ? Number.POSITIVE_INFINITY : (this.#asked?.untilMs ?? this.#notBefore)
  }

  #startAnew(): void {
    this.#asked = undefined
    this.#tried.clear()
    this.#pauseMs = PAUSE_MIN_MS
    this.#notBefore = Number.NEGATIVE_INFINITY
  }
}

function nameOf(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes))
}

function send(to: string, message: Message): readonly Effect[] {
  return [{ kind: 'send', to, via: 'any', message }]
}
