/** Where on the page a figure of a report is explained. */
import type { Column } from '../../inspection/model.ts'

export interface Place {
  readonly role?: string
  readonly check?: string
  readonly column?: Column
  readonly node?: string
}

/** Undefined when nobody said where people open the page. `base`: without a slash at its end. */
export function linkTo(base: string | undefined, run: { readonly id: string }, place: Place = {}): string | undefined {
  if (base === undefined) return undefined
  const asked = Object.entries(place).map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`)
  const query = asked.length === 0 ? '' : `?${asked.join('&')}`
  return `${base}/#/inspections/${encodeURIComponent(run.id.toWellFormed())}${query}`
}
