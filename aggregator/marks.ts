/** What marking made of each verdict and of each node, as it shows now: told from the events alone. */
import type { MarkingMode } from '../settings/marking.ts'
import type { Journal, MarkView, StoredEvent } from './model.ts'
import { wholeStory } from './whole-story.ts'

export const MARK_KINDS = ['marked', 'would-mark', 'mark-withheld', 'undone'] as const

/** What such an event carries. Empty: not of a verdict, not of a finding, not written. */
export interface MarkData {
  readonly verdictId: string
  readonly findingId: string
  readonly mode: MarkingMode
  /** Reason of Ready=False. */
  readonly ready: string
  readonly pods: boolean
  /** Reason of our own condition. */
  readonly condition: string
  readonly taint: string
}

/** In words. */
export function effectsOf({ ready, pods, condition, taint }: Omit<MarkData, 'mode'>): readonly string[] {
  return [
    ...(ready === '' ? [] : [`Ready=False (${ready})`]),
    ...(pods ? ['its pods not Ready'] : []),
    ...(condition === '' ? [] : [`condition ${condition}`]),
    ...(taint === '' ? [] : [`taint ${taint}:NoSchedule`]),
  ]
}

/** What shows after one more event about the same verdict, or the same finding; undefined for one about nothing. */
export function markAfter(known: MarkView | undefined, { kind, at, data }: StoredEvent): MarkView | undefined {
  if (kind === 'undone') {
    // A verdict that turns into Isolated gives up Ready and pods, and keeps the rest.
    return known === undefined || data.isPart === true ? known : { ...known, state: 'undone', undoneAt: at }
  }
  const { mode } = data as unknown as MarkData
  const effects = effectsOf(data as unknown as MarkData)
  if (kind === 'would-mark') return { state: 'would-mark', mode, effects, withheld: '', since: at }
  if (kind === 'mark-withheld') {
    const withheld = String(data.why)
    return known?.state === 'marked'
      ? { ...known, withheld }
      : { state: 'withheld', mode, effects, withheld, since: at }
  }
  // What was withheld a moment ago may be a part of it: the taint, when many nodes have ours.
  const isWhole = known?.state !== 'withheld' || effects.length >= known.effects.length
  return { state: 'marked', mode, effects, withheld: isWhole ? '' : known.withheld, since: at }
}

/** The latest of each node, whatever it is of. */
export class NodeMarks {
  readonly #latest = new Map<string, { readonly of: string; readonly mark: MarkView }>()

  constructor(store: Journal) {
    for (const event of wholeStory(store, MARK_KINDS)) this.take(event)
  }

  take(event: StoredEvent): void {
    if (!MARK_KINDS.some((kind) => kind === event.kind)) return
    const { verdictId, findingId } = event.data as unknown as MarkData
    const known = this.#latest.get(event.node)
    const of = event.kind === 'undone' ? (known?.of ?? '') : verdictId || findingId
    const mark = markAfter(known?.of === of ? known.mark : undefined, event)
    if (mark !== undefined) this.#latest.set(event.node, { of, mark })
  }

  /** What shows on a node; what would show, or was withheld, only while `stands` says of its verdict or finding. */
  of(node: string, stands: (id: string) => boolean): MarkView | undefined {
    const { of = '', mark } = this.#latest.get(node) ?? {}
    if (mark === undefined || mark.state === 'undone') return undefined
    return mark.state === 'marked' || stands(of) ? mark : undefined
  }
}
