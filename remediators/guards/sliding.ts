/** How many different nodes something happened to within a time, as that time moves on. */

export interface Happening {
  readonly node: string
  readonly atMs: number
}

export interface Level {
  readonly atMs: number
  /** Different nodes within the time that ends at `atMs`, both ends included. */
  readonly nodes: number
}

/** The count at each happening, and just after each time that one falls out of sight: oldest first. */
export function levels(happenings: readonly Happening[], withinMs: number): readonly Level[] {
  const counts = new Map<string, number>()
  const steps = happenings
    .flatMap(({ node, atMs }) => [
      { node, atMs, change: 1 },
      { node, atMs: atMs + withinMs, change: -1 },
    ])
    // What comes is counted before what goes at the same moment.
    .toSorted((a, b) => a.atMs - b.atMs || b.change - a.change)
  return steps.map(({ node, atMs, change }) => {
    const count = (counts.get(node) ?? 0) + change
    if (count > 0) counts.set(node, count)
    else counts.delete(node)
    return { atMs, nodes: counts.size }
  })
}
