/**
 * How many events one node may cause. Every event is a row on disk, written before anything goes on, so a node that never
 * stops announcing itself could fill the disk and hold up verdicts about others.
 */
import type { Notice } from '../mesh/core/message.ts'

/** A fault with its fix is seven events; the start of an agent is one, and one more for each thing found. */
const AT_ONCE = 200
const PER_SECOND = 1

export class EventBudget {
  readonly #left = new Map<string, { readonly events: number; readonly atMs: number }>()

  /** Whether one more may be written for this node; if so, it is taken off. `nowMs` is monotonic. */
  take(node: string, nowMs: number): boolean {
    const { events, atMs } = this.#left.get(node) ?? { events: AT_ONCE, atMs: nowMs }
    const available = Math.min(AT_ONCE, events + ((nowMs - atMs) / 1_000) * PER_SECOND)
    const isAllowed = available >= 1
    this.#left.set(node, { events: isAllowed ? available - 1 : available, atMs: nowMs })
    return isAllowed
  }
}

/** The node that can bring about this notice by itself, as often as it likes. */
export function causerOf(notice: Notice): string | undefined {
  switch (notice.kind) {
    case 'announced':
      return notice.verdict.subject
    case 'left':
    case 'returned':
      return notice.subject
    default:
      return undefined
  }
}
