/** Where on the page each figure of an inspection is explained: one address for a run, and parts of it by what is asked. */
import type { Column } from './model.ts'

/** All of a run, or what of it a figure counts. */
export interface InspectionPlace {
  readonly id: string
  readonly role?: string
  readonly check?: string
  readonly column?: Column
  readonly node?: string
}

const KEYS = ['role', 'check', 'column', 'node'] as const

/** Below the page's own address: `/#/inspections/ID?role=…&check=…&column=…`. */
export function inspectionPath(place: InspectionPlace): string {
  const asked = KEYS.flatMap((key) => (place[key] === undefined ? [] : [`${key}=${encodeText(place[key])}`]))
  return `/#/inspections/${encodeText(place.id)}${asked.length === 0 ? '' : `?${asked.join('&')}`}`
}

/** What `inspectionPath` made; undefined for any other hash. `hash` begins with `#`. */
export function readInspectionHash(hash: string): InspectionPlace | undefined {
  const [, id, query = ''] = /^#\/inspections\/([^/?]+)(?:\?(.*))?$/.exec(hash) ?? []
  if (id === undefined) return undefined
  const asked = query.split('&').flatMap((pair) => {
    const [key = '', value = ''] = pair.split('=', 2)
    return (KEYS as readonly string[]).includes(key) && value !== '' ? [[key, decodeText(value)]] : []
  })
  return { id: decodeText(id), ...Object.fromEntries(asked) }
}

/** A lone half of a surrogate pair has no encoding and would throw. */
function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
