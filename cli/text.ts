/** Text from the mesh on its way to a terminal. Any node may have written it, so it is made harmless first. */
import { UNPRINTABLE } from '../common/unprintable.ts'

/** The text on one line, with a space where something unprintable was. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ')
}

/** An RFC 3339 time in this machine's zone, as `2026-11-21 12:03:10 +08:00`; what is no time is returned as it is. */
export function localTime(rfc3339: string, { milliseconds = false } = {}): string {
  const time = new Date(rfc3339)
  if (Number.isNaN(time.getTime())) return rfc3339
  const offsetMinutes = -time.getTimezoneOffset()
  const shifted = new Date(time.getTime() + offsetMinutes * 60_000).toISOString()
  const minutes = Math.abs(offsetMinutes)
  const offset = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':')
  return `${shifted.slice(0, 10)} ${shifted.slice(11, milliseconds ? 23 : 19)} ${offsetMinutes < 0 ? '-' : '+'}${offset}`
}
