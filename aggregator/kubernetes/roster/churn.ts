/** The brakes of the roster, and how soon one epoch may follow another (docs/protocol.md section 7). */

/** Changes are counted over this time. */
export const CHURN_WINDOW_MS = 600_000

/** So many of the live set may go, or come, within the window without a person. */
const REMOVALS_MIN = 1
const REMOVALS_SHARE = 0.05
const GROWTH_MIN = 10
const GROWTH_SHARE = 0.5

const EPOCH_GAP_MS = 1_000
const CHURN_GAP_MS = 5_000
/** Two epochs closer than this are churn: what else comes is gathered for longer. */
const CHURN_WITHIN_MS = 10_000

/** An epoch, and how many it took away and brought without a person's decision. `atMs`: monotonic. */
export interface PastEpoch {
  readonly atMs: number
  readonly removed: number
  readonly added: number
}

export interface ChurnState {
  readonly past: readonly PastEpoch[]
  /** Members without a standing verdict that have not left. */
  readonly live: number
  readonly nowMs: number
}

/** Why so many removals wait for a person; undefined when they need not. */
export function whyRemovalsWait(wanted: number, state: ChurnState): string | undefined {
  const most = Math.max(REMOVALS_MIN, REMOVALS_SHARE * state.live)
  const before = sum(state, ({ removed }) => removed)
  return whyHeld(wanted, before, most, 'gone', state.live)
}

/** The same for new members. */
export function whyGrowthWaits(wanted: number, state: ChurnState): string | undefined {
  const most = Math.max(GROWTH_MIN, GROWTH_SHARE * state.live)
  const before = sum(state, ({ added }) => added)
  return whyHeld(wanted, before, most, 'new', state.live)
}

/** When the next epoch may be, monotonic ms, after these, oldest first. */
export function nextEpochAt(past: readonly PastEpoch[]): number {
  const last = past.at(-1)
  if (last === undefined) return Number.NEGATIVE_INFINITY
  const before = past.at(-2)
  const isChurn = before !== undefined && last.atMs - before.atMs < CHURN_WITHIN_MS
  return last.atMs + (isChurn ? CHURN_GAP_MS : EPOCH_GAP_MS)
}

/** Those that still count. */
export function recentOf(past: readonly PastEpoch[], nowMs: number): readonly PastEpoch[] {
  return past.filter(({ atMs }) => nowMs - atMs < CHURN_WINDOW_MS)
}

function sum({ past, nowMs }: ChurnState, countOf: (epoch: PastEpoch) => number): number {
  return recentOf(past, nowMs).reduce((total, epoch) => total + countOf(epoch), 0)
}

function whyHeld(wanted: number, before: number, most: number, what: string, live: number): string | undefined {
  if (wanted === 0 || before + wanted <= most) return undefined
  const earlier = before === 0 ? '' : ` after ${before} in the last 10 minutes`
  return `${wanted} ${what}${earlier} is more than ${Math.floor(most)} of ${live} live members`
}
