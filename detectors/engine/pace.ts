/** How often a detector really looks: at its interval, or more rarely when it is shed or keeps running out of time. Pure. */

/** Once a day at the least: as long as an interval may be by settings. */
const PACE_MS_MAX = 86_400_000
/** Three doublings: a detector that is shed or overruns still looks at an eighth of its usual rate. */
export const LEVEL_MAX = 3
/** One look that ran out of time is an accident. */
const OVERRUNS_BORNE = 1

/** What its interval is multiplied by. `overruns`: looks in a row that ran out of time. `level`: how far it is shed, from 0. */
export function stretchOf(level: number, overruns: number): number {
  return 2 ** Math.min(LEVEL_MAX, Math.max(level, overruns - OVERRUNS_BORNE, 0))
}

export function paceMs(everyMs: number, stretch: number): number {
  return Math.max(everyMs, Math.min(PACE_MS_MAX, everyMs * stretch))
}
