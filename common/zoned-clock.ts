/** What the clocks of a time zone show. Pure but for the table of zones that the runtime brings. */

/** What there is to read, as text: two digits each, the year four; `timeZoneName` as GMT+08:00. */
export type ZonedReading = ReadonlyMap<Intl.DateTimeFormatPartTypes, string>

/** At a moment, in milliseconds since 1970, in an IANA zone. Throws RangeError for a zone or a moment that there is not. */
export function zonedClock(ms: number, timeZone: string): ZonedReading {
  return new Map(
    clockOf(timeZone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  )
}

/** Making one takes a hundred times as long as asking it; there are only as many as there are time zones. */
const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  })
  clocks.set(timeZone, clock)
  return clock
}
