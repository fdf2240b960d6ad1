/** Time zones by the names that IANA gives them. */
import { z } from 'zod'
import { nearest } from './nearest.ts'

/** In settings and questions. */
export const timeZone = z
  .string()
  .min(1)
  .max(63)
  .superRefine((name, { addIssue }) => {
    if (isTimeZone(name)) return
    const meant = nearest(name, [...Intl.supportedValuesOf('timeZone'), 'UTC'])
    addIssue(
      `unknown time zone "${name}"${meant === undefined ? ', as in Europe/Berlin or UTC' : `, did you mean "${meant}"?`}`,
    )
  })

/** Where this process is, as TZ or the machine says. */
export function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

function isTimeZone(name: string): boolean {
  // The runtime knows offsets as well; one is wrong for half of the year where clocks change.
  if (/^[+-]/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
