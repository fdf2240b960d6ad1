/** Times as the viewer reads them: in the browser's zone and language; in full, with the offset, on demand. */

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }
const clock = new Intl.DateTimeFormat(undefined, CLOCK)
const dayAndClock = new Intl.DateTimeFormat(undefined, { ...CLOCK, day: 'numeric', month: 'short' })

/** `12:03:10`, with the day in front when it is not today. What is no time is returned as it is. */
export function shortTime(at: string | number, now: Date = new Date()): string {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return String(at)
  return (time.toDateString() === now.toDateString() ? clock : dayAndClock).format(time)
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
