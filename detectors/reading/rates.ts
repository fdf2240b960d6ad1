/** How fast a counter of the kernel grows, by two samples and the host's own clock, which no step of the time touches. */
import type { Host } from '../contract.ts'

export const UPTIME = '/proc/uptime'

/** Of a sample of counters: when it was taken. */
export interface Timed {
  /** Seconds since boot. */
  readonly uptimeS: number
}

/** Two looks closer together than this, as of somebody who asks for one, make a rate of one event that is none. */
const SPAN_MIN_S = 5

/** Throws an Error when the file is not of the form of proc_uptime(5). */
export async function readUptime(host: Host): Promise<number> {
  const text = await host.readText(UPTIME)
  const uptime = /^\d+(\.\d+)?(?= )/.exec(text)?.[0]
  if (uptime === undefined) throw new Error(`${UPTIME} does not say how long the host is up`)
  return Number(uptime)
}

/** The newest sample of `past` that is old enough to be compared with `now`. */
export function comparable<S extends Timed>(now: Timed, past: readonly S[]): S | undefined {
  return past.find(({ uptimeS }) => now.uptimeS - uptimeS >= SPAN_MIN_S)
}

/**
 * By how much `counter` grew in a minute, in tenths. Undefined when nothing can be said: there is no earlier sample, the
 * counter is not in one of the two, or it went backwards, since it was reset or is another one now.
 */
export function perMinuteSince<S extends Timed>(
  now: S,
  past: readonly S[],
  counter: (sample: S) => number | undefined,
): number | undefined {
  const before = comparable(now, past)
  if (before === undefined) return undefined
  const [value, earlier] = [counter(now), counter(before)]
  if (value === undefined || earlier === undefined || value < earlier) return undefined
  return Math.round(((value - earlier) * 600) / (now.uptimeS - before.uptimeS)) / 10
}
