/** How guards put their figures. */
import { counted } from '../../common/counted.ts'
import type { Share } from './settings.ts'

const NAMED_MAX = 3

/** The first few, and how many there are beside them. */
export function listed(items: readonly string[]): string {
  const rest = items.length - NAMED_MAX
  const named = items.slice(0, NAMED_MAX).join(', ')
  return rest > 0 ? `${named} and ${rest} more` : named
}

/** `the smaller of 10 % and 5 nodes`. */
export function smaller({ percent, nodes }: Share): string {
  return `the smaller of ${percent} % and ${counted(nodes, 'node')}`
}

/** `the larger of 10 % and 3 nodes`. */
export function larger({ percent, nodes }: Share): string {
  return `the larger of ${percent} % and ${counted(nodes, 'node')}`
}
