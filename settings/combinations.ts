/** Which of the parts that are for some nodes can come together on one node: what is right alone may be wrong together. */
import type { Selector } from '../common/selector.ts'

/** A part by its place in the list, and whom it is for. */
export interface Part {
  readonly index: number
  readonly selector: Selector
}

/** What a node has one of at most. It may have any number of roles. */
const SINGLE = ['pools', 'zones', 'nodes'] as const
type Bounds = Partial<Record<(typeof SINGLE)[number], readonly string[]>>

/**
 * Every set of parts that one node can have, each in the order of the list. Undefined when there are more than `max`. A
 * part without a selector of its own is in none.
 */
export function combinations<T extends Part>(parts: readonly T[], max: number): readonly (readonly T[])[] | undefined {
  const found: T[][] = []
  const extend = (set: readonly T[], bounds: Bounds, from: number): boolean => {
    for (let index = from; index < parts.length; index++) {
      const part = parts[index]
      if (part === undefined || Object.keys(part.selector).length === 0) continue
      const narrowed = narrow(bounds, part.selector)
      if (narrowed === undefined) continue
      const larger = [...set, part]
      if (found.push(larger) > max || !extend(larger, narrowed, index + 1)) return false
    }
    return true
  }
  return extend([], {}, 0) ? found : undefined
}

/** What is left of pools, zones and names when this selector fits as well; undefined: no node can be. */
function narrow(bounds: Bounds, selector: Selector): Bounds | undefined {
  const narrowed: Bounds = { ...bounds }
  for (const kind of SINGLE) {
    const asked = selector[kind]
    if (asked === undefined) continue
    const left = bounds[kind]?.filter((name) => asked.includes(name)) ?? asked
    if (left.length === 0) return undefined
    narrowed[kind] = left
  }
  return narrowed
}
