/**
 * What this node and its neighbours tell one another of their faults, so that one that is cut off from the leader knows
 * whether the cause is its own (remediators/alone.ts). Said when it changes, and to a neighbour whose edge opens: nothing is
 * sent while nothing happens, but once in a while so that what is old can be forgotten.
 */
import { isDeepStrictEqual } from 'node:util'
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { Finding } from '../detectors/contract.ts'
import type { SignedStatement } from '../mesh/core/model.ts'
import { NEAR_TOPICS } from '../mesh/core/near.ts'
import { countFaults, faultsOf, REASON_CHARS_MAX, REASONS_MAX } from '../remediators/neighbours.ts'
import type { Publisher } from './publisher.ts'

const TOPIC = `${NEAR_TOPICS}faults`
/** An edge that is open carries every change, unless it was blocked just then: that is mended within this time. */
const TTL_MS = 3_600_000
/** A fault that comes and goes is not told more often; a cut-off fix waits longer anyway before it begins. */
const TELL_EVERY_MS = 10_000
/** A neighbour that was not heard for so long, of whatever it says each second, is not known any more. */
const SILENT_MS = 60_000

const schema = z.array(z.string().min(1).max(REASON_CHARS_MAX)).max(REASONS_MAX)

export class Neighbours {
  readonly #publisher: Publisher
  readonly #told = new Map<string, { readonly reasons: readonly string[]; readonly until: number }>()
  #said: readonly string[] | undefined
  #notBefore = 0

  constructor(publisher: Publisher) {
    this.#publisher = publisher
  }

  /** Whether it was a neighbour's word. Throws an Error for one that is not what its topic says. */
  hear({ statement: { signer, body, ttlMs } }: SignedStatement, nowMs: number): boolean {
    if (body.kind !== 'note' || body.topic !== TOPIC) return false
    this.#told.set(signer, { reasons: schema.parse(decode(body.bytes)), until: nowMs + Math.min(ttlMs, TTL_MS) })
    return true
  }

  /** Tells the faults of `findings`, all of this node's, if they are others than were told. None at all: it has not looked. */
  tell(findings: readonly Finding[], nowMs: number): void {
    if (findings.length === 0 || nowMs < this.#notBefore) return
    const reasons = faultsOf(findings)
    if (isDeepStrictEqual(reasons, this.#said)) return
    this.#said = reasons
    this.#notBefore = nowMs + TELL_EVERY_MS
    this.#publisher.publishLasting(TOPIC, encode(reasons), TTL_MS)
  }

  /** How many neighbours have each fault; undefined while too few are known to say. */
  faults(nowMs: number): ReadonlyMap<string, number> | undefined {
    for (const [node, { until }] of this.#told) if (until <= nowMs) this.#told.delete(node)
    const heard = this.#publisher.mesh?.heardWithin(SILENT_MS) ?? []
    return countFaults(heard.flatMap((node) => this.#told.get(node) ?? []).map(({ reasons }) => reasons))
  }
}
