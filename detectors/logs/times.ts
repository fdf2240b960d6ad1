/** When a line of a log file was written. */

const DAY_MS = 86_400_000

/**
 * Ms since 1970 of a time as logs write it: RFC 3339 and what Date takes beside it, or syslog's `Jan  2 15:04:05`, which is of
 * the last twelve months and of the host's zone.
 */
export function timeOf(text: string, nowMs: number): number | undefined {
  const isSyslog = /^[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}/.test(text)
  const year = new Date(nowMs).getFullYear()
  const ms = Date.parse(isSyslog ? `${text} ${year}` : text.replace(/^(\d{4}-\d{2}-\d{2}) /, '$1T').replace(',', '.'))
  if (Number.isNaN(ms)) return undefined
  return isSyslog && ms > nowMs + DAY_MS ? Date.parse(`${text} ${year - 1}`) : ms
}
