/** Times as people read them in a zone: `2026-11-21 08:00 +08:00`. */
import { epochMsOf } from '../common/rfc3339.ts'
import { zonedClock } from '../common/zoned-clock.ts'

/** The largest that a Date holds (ECMA-262). */
const MS_MAX = 8.64e15

/** An RFC 3339 time in an IANA zone; what is none is given back as it is. Throws RangeError for a zone that there is not. */
export function zonedTime(rfc3339: string, timeZone: string): string {
  const ms = epochMsOf(rfc3339)
  if (ms === undefined || Math.abs(ms) > MS_MAX) return rfc3339
  const shown = zonedClock(ms, timeZone)
  const part = (type: Intl.DateTimeFormatPartTypes) => shown.get(type) ?? ''
  const offset = part('timeZoneName').replace(/^(?:GMT|UTC)/, '') || '+00:00'
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ${offset}`
}
