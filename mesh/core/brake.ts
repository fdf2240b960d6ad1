/**
 * The brake: when too many nodes come into question at once, the likelier fault is on this side of the network, so nobody
 * is marked. Thresholds are those of the node lifecycle controller (55 % of a zone) and Rapid's bound (25 % of all), with
 * an absolute floor so that three nodes are no catastrophe (docs/protocol.md section 6).
 */
import type { Membership } from './membership.ts'
import type { Millis } from './model.ts'

/** Fewer nodes than this in question never freeze by share: on five nodes, two deaths are two deaths. */
const NODES_MIN = 3
const FLEET_SHARE = 0.25
const ZONE_SHARE = 0.55
/** Zones smaller than this have no share worth speaking of. */
const ZONE_NODES_MIN = 4
/** More than max(3, 10 %) coming into question within 2 s freezes too: deaths do not come in crowds. */
const SURGE_NODES = 3
const SURGE_SHARE = 0.1
const SURGE_WITHIN_MS = 2_000
/** A freeze ends when the counts have been below for this long. */
const CALM_FOR_MS = 60_000
/** After a freeze, at most max(1, 5 %) verdicts a minute for ten minutes: what was held back does not come all at once. */
const RATION_SHARE = 0.05
const RATION_WINDOW_MS = 60_000
const RATION_FOR_MS = 600_000

export type BrakeChange =
  | { readonly kind: 'frozen'; readonly why: string; readonly nodes: readonly string[] }
  | { readonly kind: 'thawed'; readonly why: string }

export class Brake {
  readonly #membership: Membership
  readonly #since = new Map<string, Millis>()
  readonly #verdictsAt: Millis[] = []
  #frozen: string | undefined
  #calmSince: Millis | undefined
  #thawedAt = Number.NEGATIVE_INFINITY
  /** How many were in question when an operator released the brake; 0: it was not, or all is calm again. */
  #released = 0

  constructor(membership: Membership) {
    this.#membership = membership
  }

  /** Why nothing is marked; undefined while the brake is open. */
  get frozen(): string | undefined {
    return this.#frozen
  }

  /** Takes in who is in question now: silent to at least L observers, absent from a roll-call, or down by verdict. */
  update(now: Millis, inQuestion: ReadonlySet<string>): BrakeChange | undefined {
    for (const node of this.#since.keys()) if (!inQuestion.has(node)) this.#since.delete(node)
    for (const node of inQuestion) if (!this.#since.has(node)) this.#since.set(node, now)
    if (inQuestion.size > this.#released || this.#shareOf(inQuestion) === undefined) this.#released = 0
    const why = this.#released > 0 ? undefined : this.#tooMany(now, inQuestion)
    if (why !== undefined) {
      this.#calmSince = undefined
      if (this.#frozen !== undefined) return undefined
      this.#frozen = why
      return { kind: 'frozen', why, nodes: [...inQuestion] }
    }
    if (this.#frozen === undefined) return undefined
    this.#calmSince ??= now
    if (now - this.#calmSince < CALM_FOR_MS) return undefined
    return this.#thaw(now, `fewer in question for ${CALM_FOR_MS / 1_000} s`)
  }

  /** How many verdicts the brake lets through now; Infinity while it has not been frozen lately. */
  allowance(now: Millis): number {
    if (this.#frozen !== undefined) return 0
    if (now - this.#thawedAt >= RATION_FOR_MS) return Number.POSITIVE_INFINITY
    const recent = this.#verdictsAt.filter((at) => now - at < RATION_WINDOW_MS).length
    return Math.max(0, Math.max(1, Math.floor(this.#membership.roster.members.length * RATION_SHARE)) - recent)
  }

  /** A verdict was let through. */
  convicted(now: Millis): void {
    this.#verdictsAt.push(now)
    while (this.#verdictsAt.length > 0 && now - (this.#verdictsAt[0] ?? now) >= RATION_WINDOW_MS)
      this.#verdictsAt.shift()
  }

  /** Those that came into question within the time that deaths do not come in crowds. */
  lately(now: Millis): readonly string[] {
    return [...this.#since].flatMap(([node, since]) => (now - since < SURGE_WITHIN_MS ? [node] : []))
  }

  /** Whether these would freeze it, without taking them in. */
  wouldFreeze(now: Millis, inQuestion: ReadonlySet<string>): boolean {
    const added = [...inQuestion].filter((node) => !this.#since.has(node)).length
    return this.#shareOf(inQuestion) !== undefined || this.#recent(now) + added > this.#surgeMax
  }

  /** An operator ends a freeze, and says why. It comes back when yet more nodes come into question. */
  release(now: Millis, why: string): BrakeChange | undefined {
    if (this.#frozen === undefined) return undefined
    this.#released = this.#since.size
    return this.#thaw(now, why)
  }

  /** When `update` should be called again though nothing was heard; Infinity when there is no need. */
  nextAt(now: Millis): Millis {
    const times: Millis[] = []
    if (this.#calmSince !== undefined) times.push(this.#calmSince + CALM_FOR_MS)
    if (this.#frozen !== undefined) for (const since of this.#since.values()) times.push(since + SURGE_WITHIN_MS)
    return Math.min(...times.filter((time) => time > now))
  }

  #thaw(now: Millis, why: string): BrakeChange {
    this.#frozen = undefined
    this.#calmSince = undefined
    this.#thawedAt = now
    return { kind: 'thawed', why }
  }

  get #surgeMax(): number {
    return Math.max(SURGE_NODES, this.#membership.roster.members.length * SURGE_SHARE)
  }

  #recent(now: Millis): number {
    return this.lately(now).length
  }

  #tooMany(now: Millis, inQuestion: ReadonlySet<string>): string | undefined {
    const total = this.#membership.roster.members.length
    const surge = this.#recent(now)
    if (surge > this.#surgeMax) {
      return `${surge} of ${total} nodes came into question within ${SURGE_WITHIN_MS / 1_000} s`
    }
    return this.#shareOf(inQuestion)
  }

  #shareOf(inQuestion: ReadonlySet<string>): string | undefined {
    const total = this.#membership.roster.members.length
    const count = inQuestion.size
    if (count < NODES_MIN) return undefined
    if (count >= total * FLEET_SHARE) return `${count} of ${total} nodes are in question`
    for (const [zone, nodes] of this.#membership.zones) {
      const inZone = nodes.filter((node) => inQuestion.has(node)).length
      if (nodes.length >= ZONE_NODES_MIN && inZone >= NODES_MIN && inZone >= nodes.length * ZONE_SHARE) {
        return `${inZone} of ${nodes.length} nodes of zone ${zone} are in question`
      }
    }
    return undefined
  }
}
