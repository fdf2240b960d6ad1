/** Time and chance as the engine uses them; tests pass their own. */
import { setTimeout as delay } from 'node:timers/promises'
import { currentMoment, type Moment } from '../../common/moment.ts'

export interface Clock {
  now(): Moment
  /** Resolves after `ms`; rejects as soon as `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Evenly from 0 up to 1. */
  random(): number
}

export const systemClock: Clock = {
  now: currentMoment,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: Math.random,
}
