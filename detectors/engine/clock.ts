/** Time, chance and the processor as the engine uses them; tests pass their own. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Moment } from '../../common/moment.ts'

export interface Clock {
  /** Its `ms` count from the start of the host, so that they go on through a restart of the process. */
  now(): Moment
  /** Resolves after `ms`; rejects as soon as `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Evenly from 0 up to 1. */
  random(): number
  /** Processor time that this process has taken, in all its threads; not that of programs it ran. */
  cpuMs(): number
}

export const systemClock: Clock = {
  // CLOCK_MONOTONIC, which on Linux is one for all processes.
  now: () => ({ ms: Number(process.hrtime.bigint()) / 1e6, wall: new Date().toISOString() }),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: Math.random,
  cpuMs() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  },
}
