/** Whether two values are the same JSON, in whatever order their keys come. Pure. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [of, other] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const keys = Object.keys(of)
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && isSame(of[key], other[key]))
}
