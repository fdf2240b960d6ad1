/** A clock that stands still until it is told to go on, so that no test waits or races. */
import { setImmediate as settled } from 'node:timers/promises'
import type { Moment } from '../../common/moment.ts'
import type { Clock } from '../../detectors/engine/clock.ts'

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

export class VirtualClock implements Clock {
  #ms = 0
  #sleepers: Sleeper[] = []
  /** What `random` answers; 0.5 is no jitter. */
  chance = 0.5

  now(): Moment {
    return momentAt(this.#ms)
  }

  random(): number {
    return this.chance
  }

  /** What `cpuMs` answers. */
  used = 0

  cpuMs(): number {
    return this.used
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { atMs: this.#ms + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal.reason)
      })
    })
  }

  /** Goes on by `ms`, waking sleepers at their time and letting what they do come to rest before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#ms + ms
    await settled()
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#sleepers = this.#sleepers.filter((other) => other !== next)
      this.#ms = next.atMs
      next.wake()
      await settled()
    }
    this.#ms = untilMs
  }
}

/** A moment whose wall clock shows the seconds since the start of 2026. */
export function momentAt(ms: number): Moment {
  return { ms, wall: new Date(Date.UTC(2026, 0, 1) + ms).toISOString() }
}
