/** Holds all detectors together to their budget: looks what they cost and tells the dearest to look more rarely. */
import { formatDuration } from '../../common/duration.ts'
import type { Log } from '../../common/log.ts'
import { type Budget, type Cost, keptSamples, PAST_MAX, shedLevels } from './budget.ts'
import { paceMs } from './pace.ts'

/** A detector that looks more rarely than it is set to. */
export interface Shed {
  readonly detector: string
  readonly everyMs: number
  /** How often it looks instead. */
  readonly paceMs: number
}

export interface SheddingInit {
  readonly budget: Budget
  readonly runners: readonly {
    readonly enabled: boolean
    readonly cost: Cost
    shed(level: number, pastMax: number): void
  }[]
  readonly log: Log
  /** Called when it changed, with all that are shed now. */
  readonly onShed: (shed: readonly Shed[]) => void
}

/** What detectors cost changes slowly, and to decide costs something too. */
const DECIDE_EVERY_MS = 10_000

export class Shedding {
  readonly #init: SheddingInit
  #levels: ReadonlyMap<string, number> = new Map()
  #short = ''
  #decidedMs: number | undefined

  constructor(init: SheddingInit) {
    this.#init = init
  }

  /** After each look. `nowMs`: monotonic. */
  decide(nowMs: number): void {
    if (this.#decidedMs !== undefined && nowMs - this.#decidedMs < DECIDE_EVERY_MS) return
    this.#decidedMs = nowMs
    const { budget, log, onShed } = this.#init
    const runners = this.#init.runners.filter(({ enabled }) => enabled)
    const costs = runners.map(({ cost }) => cost)
    const before = this.#levels
    this.#levels = shedLevels(costs, before, budget)
    const samples = keptSamples(costs, budget)
    const short = [...samples].filter(([, max]) => max < PAST_MAX).map(([detector]) => detector)
    for (const runner of runners) {
      const { detector } = runner.cost
      runner.shed(this.#levels.get(detector) ?? 0, samples.get(detector) ?? PAST_MAX)
    }
    if (short.join() !== this.#short) {
      this.#short = short.join()
      log.warn({ detectors: short }, 'samples take too much memory: these detectors keep one')
    }
    const changed = [...this.#levels].filter(([detector, level]) => level !== (before.get(detector) ?? 0))
    if (changed.length === 0) return
    const shed = this.#shed(costs)
    for (const [detector, level] of changed) {
      const stretch = 2 ** level
      log.warn({ detector, stretch }, level > (before.get(detector) ?? 0) ? 'detector shed' : 'detector less shed')
    }
    onShed(shed)
  }

  #shed(costs: readonly Cost[]): readonly Shed[] {
    return costs.flatMap(({ detector, everyMs }) => {
      const level = this.#levels.get(detector) ?? 0
      return level === 0 ? [] : [{ detector, everyMs, paceMs: paceMs(everyMs, 2 ** level) }]
    })
  }
}

/** Of what is shed, in words: `disk-usage every 4m in place of 1m`. */
export function describeShed(shed: readonly Shed[]): string {
  return shed
    .map(
      ({ detector, everyMs, paceMs }) =>
        `${detector} every ${formatDuration(paceMs)} in place of ${formatDuration(everyMs)}`,
    )
    .join(', ')
}
