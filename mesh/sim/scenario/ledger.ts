/** What a run is counted by while it goes on: exposure, accusations of the healthy, and what the leader said of whom. */
import { zonesOfObservers } from '../../core/certificate.ts'
import type { SignedStatement } from '../../core/model.ts'
import type { World } from '../world.ts'
import type { Staging } from './staging.ts'

/** An accusation counts for 12 s, and a host that was down takes about as long to be heard by all again. */
const SETTLED_AFTER_MS = 30_000
const HOUR_MS = 3_600_000

export class Ledger {
  readonly #world: World
  readonly #staging: Staging
  readonly #mostVotes = new Map<string, number>()
  /** When a node was last down, or under a fault of the scenario. */
  readonly #lastFaultyAt = new Map<string, number>()
  readonly #startedAt: number
  #exposedMs = 0
  #nodeMs = 0
  #wrongAccusations = 0
  #lookedAt: number

  constructor(world: World, staging: Staging) {
    this.#world = world
    this.#staging = staging
    this.#startedAt = world.stage.agenda.now
    this.#lookedAt = this.#startedAt
  }

  get exposedHours(): number {
    return this.#exposedMs / HOUR_MS
  }

  get nodeHours(): number {
    return this.#nodeMs / HOUR_MS
  }

  /** Accusations of being silent against nodes under no fault. */
  get wrongAccusations(): number {
    return this.#wrongAccusations
  }

  /** At index n: nodes against which n votes at a time were the most while nothing was wrong with them. */
  get votesHistogram(): readonly number[] {
    const histogram: number[] = []
    for (const { node } of this.#world.roster.members) {
      const most = this.#mostVotes.get(node) ?? 0
      while (histogram.length <= most) histogram.push(0)
      histogram[most] = (histogram[most] ?? 0) + 1
    }
    return histogram
  }

  heard({ statement: { signer, body } }: SignedStatement): void {
    if (body.kind !== 'accusation' || (body.opinion !== 'NodeDown' && body.opinion !== 'HostHung')) return
    const { subject } = body
    if (!this.#isHealthy(subject)) return
    const votes = this.#world.leader.leader?.ballots.about(subject, 'NodeDown', 'HostHung') ?? []
    if (!votes.some(({ voter }) => voter === signer)) return
    this.#wrongAccusations++
    this.#mostVotes.set(subject, Math.max(this.#mostVotes.get(subject) ?? 0, votes.length))
  }

  /** To be called about once a second. */
  look(): void {
    const { stage, roster } = this.#world
    const { now } = stage.agenda
    const passed = now - this.#lookedAt
    this.#lookedAt = now
    this.#nodeMs += passed * roster.members.length
    const { actedOn } = this.#staging
    for (const { node } of roster.members) {
      if (stage.machine(node).host === 'down' || actedOn.has(node)) this.#lastFaultyAt.set(node, now)
      if (actedOn.size > 0 && this.#isExposed(node, actedOn)) this.#exposedMs += passed
    }
  }

  /** The fault acts on it, or on at least two of its observers. */
  #isExposed(node: string, actedOn: ReadonlySet<string>): boolean {
    if (actedOn.has(node)) return true
    let count = 0
    for (const observer of zonesOfObservers(this.#world.roster, node).keys()) {
      if (actedOn.has(observer) && ++count >= 2) return true
    }
    return false
  }

  #isHealthy(node: string): boolean {
    const { now } = this.#world.stage.agenda
    const last = this.#lastFaultyAt.get(node) ?? Number.NEGATIVE_INFINITY
    const isFaulty = this.#world.stage.machine(node).host === 'down' || this.#staging.isActedOn(node)
    return !isFaulty && now - last >= SETTLED_AFTER_MS
  }
}
