/** Times as programs write them (RFC 3339), read without a clock. */

/** In ms since 1970, UTC; undefined for what is no such time. Leap seconds count as the second after. */
export function epochMsOf(text: string): number | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))$/i.exec(text)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1, 7).map(Number)
  const offset = (found[8] === '-' ? -1 : 1) * (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0))
  const inDay = (hours * 60 + minutes - offset) * 60 + seconds + Number(found[7] ?? 0)
  return (daysSince1970(year, month, day) * 86_400 + inDay) * 1_000
}

/** Of the Gregorian calendar; years that begin in March, so that a leap day is the last of its year. */
function daysSince1970(year: number, month: number, day: number): number {
  const fromMarch = year - (month <= 2 ? 1 : 0)
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leapDays = Math.floor(fromMarch / 4) - Math.floor(fromMarch / 100) + Math.floor(fromMarch / 400)
  return fromMarch * 365 + leapDays + dayOfYear - 719_468
}
