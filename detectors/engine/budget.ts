/**
 * What all detectors together may cost their host, and which of them look more rarely when it is more. Pure. Processor time
 * is what was measured of late looks, so a decision holds at once and does not wait for an average to follow.
 */
import type { Importance } from '../contract.ts'
import { LEVEL_MAX, paceMs } from './pace.ts'

export interface Budget {
  /** Of one core. */
  readonly cpuShare: number
  /** Of the samples that are kept to compare with, as they are when written down; in memory they take two or three times that. */
  readonly sampleBytes: number
}

/** Twice what the detectors that ship are meant to take: half a per cent of a core. */
export const DEFAULT_BUDGET: Budget = { cpuShare: 0.01, sampleBytes: 8 * 1024 * 1024 }

/** What one detector costs. */
export interface Cost {
  readonly detector: string
  readonly importance: Importance
  /** Its interval when it is not shed. */
  readonly everyMs: number
  /** Processor time of a look; 0 while too few were measured. */
  readonly cpuMs: number
  /** Of its last sample. */
  readonly sampleBytes: number
}

/** As promised to `judge`. */
export const PAST_MAX = 10
/** What is left to a detector whose samples are too large: enough for a difference. */
const PAST_MIN = 1

/** Below this share of the budget a detector that was shed comes back; the gap keeps it from going and coming. */
const COMFORT = 0.8

/** How far each detector is shed, from 0 to 3: each level doubles its interval. `levels`: as it is now. */
export function shedLevels(
  costs: readonly Cost[],
  levels: ReadonlyMap<string, number>,
  { cpuShare }: Budget,
): ReadonlyMap<string, number> {
  const next = new Map(costs.map(({ detector }) => [detector, levels.get(detector) ?? 0]))
  const levelOf = ({ detector }: Cost) => next.get(detector) ?? 0
  const share = (cost: Cost, level = levelOf(cost)) => cost.cpuMs / paceMs(cost.everyMs, 2 ** level)
  const total = () => costs.reduce((sum, cost) => sum + share(cost), 0)
  const inOrder = costs.filter(({ importance }) => importance !== 'vital')
  let isOver = false
  while (total() > cpuShare) {
    isOver = true
    const [first] = inOrder
      .filter((cost) => levelOf(cost) < LEVEL_MAX)
      .toSorted((a, b) => rank(a) - rank(b) || share(b) - share(a))
    if (first === undefined) break
    next.set(first.detector, levelOf(first) + 1)
  }
  while (!isOver) {
    const back = inOrder
      .filter((cost) => levelOf(cost) > 0)
      .toSorted((a, b) => rank(b) - rank(a) || share(a) - share(b))
      .find((cost) => total() - share(cost) + share(cost, levelOf(cost) - 1) <= COMFORT * cpuShare)
    if (back === undefined) break
    next.set(back.detector, levelOf(back) - 1)
  }
  return next
}

/** How many earlier samples of each detector are kept: ten, but one of those that take most while all take too much. */
export function keptSamples(costs: readonly Cost[], { sampleBytes }: Budget): ReadonlyMap<string, number> {
  const kept = new Map(costs.map(({ detector }) => [detector, PAST_MAX]))
  const total = () => costs.reduce((sum, cost) => sum + cost.sampleBytes * (1 + (kept.get(cost.detector) ?? 0)), 0)
  const largestFirst = costs
    .filter(({ importance }) => importance !== 'vital')
    .toSorted((a, b) => b.sampleBytes - a.sampleBytes)
  for (const { detector } of largestFirst) {
    if (total() <= sampleBytes) break
    kept.set(detector, PAST_MIN)
  }
  return kept
}

/** Who is shed first. */
function rank({ importance }: Cost): number {
  return importance === 'extra' ? 0 : 1
}
