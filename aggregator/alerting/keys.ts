/** What symptoms are known again by, and what is kept of the node that they are at. */
import type { NodeTraits } from '../../common/selector.ts'

/** Of which encodeURI leaves all as it is: most names, thousands at a look. */
const PLAIN = /^[\w.:-]*$/

/** Of names that may hold anything, so that no two lists make one key. */
export function keyOf(...parts: readonly string[]): string {
  return parts
    .map((part) => (PLAIN.test(part) ? part : encodeURI(part.toWellFormed()).replaceAll('/', '%2F')))
    .join('/')
}

/** Only what selectors ask. */
export function traitsOf({ node, zone, roles, pool }: NodeTraits): NodeTraits {
  return { node, zone, roles, ...(pool === undefined ? {} : { pool }) }
}
