/**
 * A node that is cut off from the leader may do very little by itself: what stops nothing and can be put back, where its rule is
 * automatic, after a wait of its own so that not all do it at once, and not for what its neighbours have as well. Pure.
 */
import type { Moment } from '../common/moment.ts'
import type { Rules } from './policy/rules.ts'
import type { Fix, Waiting } from './state.ts'

/** What the engine is told of the world with each tick. */
export interface Around {
  /** 128 bits of chance, hex, for a request; undefined while there is none to be made, or nothing to make it for. */
  readonly nonce: string | undefined
  /** Why nothing can be carried out on this node now; then nobody is asked. */
  readonly handless?: string
  /** From 0 to below 1. */
  readonly chance: number
  /** Whether a leader was heard of lately. */
  readonly isLed: boolean
  /** How many neighbours report each reason; one that is missing none does. Undefined: nobody knows. */
  readonly neighbours: ReadonlyMap<string, number> | undefined
}

/** So often in a row a request stays without an answer before its node holds itself for cut off. */
const UNANSWERED_MIN = 3
/** The wait is chosen by chance, up to this. */
const WAIT_MAX_MS = 600_000
/** Neighbours with the same reason mean that the cause is not of this host. */
const NEIGHBOURS_MAX = 2

/** Begin now, or when: null while the node must not begin by itself. */
export function whetherAlone(
  { byName }: Rules,
  { remediation: { plan, mode }, stage }: Fix & { readonly stage: Waiting },
  now: Moment,
  { chance, isLed, neighbours }: Around,
): 'begin' | number | null {
  const isReversible = byName.get(plan.remediator)?.remediator.reversible === true
  if (isLed || mode !== 'auto' || !isReversible || plan.reach !== 'none' || stage.unanswered < UNANSWERED_MIN)
    return null
  if (neighbours === undefined || (neighbours.get(plan.reason) ?? 0) > NEIGHBOURS_MAX) return null
  const atMs = stage.aloneAtMs ?? now.ms + chance * WAIT_MAX_MS
  return now.ms >= atMs ? 'begin' : atMs
}
