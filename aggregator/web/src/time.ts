/** Times as the viewer reads them: in the browser's zone, in the viewer's language; in full, with the offset, on demand. */

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }
const DAY_AND_CLOCK: Intl.DateTimeFormatOptions = { ...CLOCK, day: 'numeric', month: 'short' }

/** `12:03:10`, with the day in front when it is not today. What is no time is returned as it is. */
export function shortTime(at: string | number, locale: string, now: Date = new Date()): string {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return String(at)
  const form = time.toDateString() === now.toDateString() ? CLOCK : DAY_AND_CLOCK
  return formatOf(locale, form).format(time)
}

/** Each takes long to make, and a page has hundreds of times. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(locale: string, form: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${form === CLOCK}`
  const made = formats.get(key) ?? new Intl.DateTimeFormat(locale, form)
  formats.set(key, made)
  return made
}

/** `2026-11-21 12:03:10.123 +08:00`. */
export function fullTime(at: string | number): string {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return String(at)
  const offsetMinutes = -time.getTimezoneOffset()
  const shifted = new Date(time.getTime() + offsetMinutes * 60_000).toISOString()
  const two = (part: number) => String(Math.floor(part)).padStart(2, '0')
  const offset = `${two(Math.abs(offsetMinutes) / 60)}:${two(Math.abs(offsetMinutes) % 60)}`
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 23)} ${offsetMinutes < 0 ? '-' : '+'}${offset}`
}
