/** A number and what it counts, in the singular or the plural, for people. */

/** `1 node`, `2 nodes`; `many` where that is not `one` with an s. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
