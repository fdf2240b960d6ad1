/** How guards put their figures. */
import type { Share } from './settings.ts'

const NAMED_MAX = 3

/** The first few, and how many there are beside them. */
export function listed(items: readonly string[]): string {
  const rest = items.length - NAMED_MAX
  const named = items.slice(0, NAMED_MAX).join(', ')
  return rest > 0 ? `${named} and ${rest} more` : named
}

/** `1 node`, `2 nodes`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}

/** `10 %, 5 nodes at most`. */
export function smaller({ percent, nodes }: Share): string {
  return `${percent} %, ${counted(nodes, 'node')} at most`
}

/** `10 %, 3 nodes at least`. */
export function larger({ percent, nodes }: Share): string {
  return `${percent} %, ${counted(nodes, 'node')} at least`
}
