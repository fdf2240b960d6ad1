/** Which plans were asked for lately, by whom: many at once are a storm. Every aggregator keeps count, not just the leader. */
import type { GuardView } from '../../remediators/guards/view.ts'
import type { PermitRequest } from '../../remediators/permits.ts'
import type { PermitStory } from './story.ts'

/** Guards look back no further; a plan that was not asked for during such a time is a new one. */
const LOOK_BACK_MS = 3_600_000
/** Beyond it the oldest are forgotten: there is a storm by then, however it is counted. */
const KEPT_MAX = 10_000

export class Requests {
  /** By plan; those that were asked for last stand last. */
  readonly #plans = new Map<string, { readonly node: string; readonly firstMs: number; readonly lastMs: number }>()

  /** Begins with what `story` has on record. */
  constructor(story: Pick<PermitStory, 'askedSince'>, nowMs: number, wallMs: number) {
    for (const { node, planId, at } of story.askedSince(new Date(wallMs - LOOK_BACK_MS).toISOString())) {
      this.heard({ node, planId }, nowMs - Math.max(0, wallMs - Date.parse(at)))
    }
  }

  heard({ node, planId }: Pick<PermitRequest, 'node' | 'planId'>, atMs: number): void {
    const known = this.#plans.get(planId)
    const isKnown = known !== undefined && atMs - known.lastMs <= LOOK_BACK_MS
    this.#plans.delete(planId)
    this.#plans.set(planId, { node, firstMs: isKnown ? known.firstMs : atMs, lastMs: atMs })
    for (const oldest of this.#plans.keys()) if (this.#plans.size > KEPT_MAX) this.#plans.delete(oldest)
  }

  of(nowMs: number): GuardView['requests'] {
    const all = [...this.#plans].map(([planId, { node, firstMs }]) => ({ node, planId, atMs: firstMs }))
    return all.filter(({ atMs }) => nowMs - atMs <= LOOK_BACK_MS)
  }
}
