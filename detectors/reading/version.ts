/** Versions of Kubernetes and of what runs beside it, such as v1.28.2, 1.28 or v1.27.3+k3s1. */

const PATTERN = /^v?(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?(?:[-+].*)?$/

export function isVersion(text: string): boolean {
  return PATTERN.test(text)
}

/**
 * Below 0 when `a` is older, above when it is newer. As many numbers count as `b` has: 1.28.2 is as good as 1.28. What a
 * vendor puts behind does not count. Throws an Error when one is no version.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)]
  const differing = right.findIndex((number, index) => (left[index] ?? 0) !== number)
  return differing === -1 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0)
}

function numbersOf(text: string): readonly number[] {
  const found = PATTERN.exec(text)
  if (found === null) throw new Error(`${JSON.stringify(text.slice(0, 40))} is no version such as v1.28.2`)
  return found.slice(1).flatMap((digits) => (digits === undefined ? [] : [Number(digits)]))
}
