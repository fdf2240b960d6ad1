/** Fills the ring: one reading a minute, and never two at once. */
import { messageOf } from '../../common/errors.ts'
import { type Log, silentLog } from '../../common/log.ts'
import type { Host } from '../contract.ts'
import { type Clock, systemClock } from '../engine/clock.ts'
import { UsageReader } from './reader.ts'
import { UsageRing } from './ring.ts'

const MINUTE_MS = 60_000
/** Half of a minute; a node with 450 containers takes a fraction of a second. */
const READ_MS_MAX = 30_000

export interface UsageMeterInit {
  readonly host: Host
  /** Ends it. */
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly log?: Log
}

/** The ring that it fills. The first minute has no rates, since those are differences. */
export function startUsageMeter({ host, signal, clock = systemClock, log = silentLog }: UsageMeterInit): UsageRing {
  const ring = new UsageRing()
  const reader = new UsageReader(host)
  const run = async () => {
    while (!signal.aborted) {
      const beganMs = clock.now().ms
      try {
        const within = AbortSignal.any([signal, AbortSignal.timeout(READ_MS_MAX)])
        const { figures, failed } = await reader.read(() => clock.now().ms, within)
        const left = ring.keep(Math.floor(Date.parse(clock.now().wall) / MINUTE_MS), figures)
        if (failed !== undefined || left > 0) log.debug({ failed, left }, 'usage of this minute is not whole')
      } catch (error) {
        if (!signal.aborted) log.warn({ err: messageOf(error) }, 'usage of this minute is not known')
      }
      await clock.sleep(Math.max(1_000, beganMs + MINUTE_MS - clock.now().ms), signal).catch(() => {})
    }
  }
  void run()
  return ring
}
