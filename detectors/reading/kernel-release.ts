/** Versions of kernels as `uname -r` says them: 6.1.0-21-cloud-amd64, 5.14.0-427.13.1.el9_4.x86_64. */

/** Numbers with dots and dashes between them, and the rest. */
const FORM = /^(\d+(?:[.-]\d+)*)(.*)$/s

/** Below 0 when `a` is older than `b`. By their numbers only; one that has more of them is newer. */
export function compareReleases(a: string, b: string): number {
  const [ofA, ofB] = [numbersOf(a), numbersOf(b)]
  const differs = ofB.findIndex((number, index) => number !== ofA[index])
  if (differs === -1) return ofA.length - ofB.length
  return (ofA[differs] ?? -1) - (ofB[differs] ?? 0)
}

/** What is compared is built for the same machine by the same distribution: `-cloud-amd64` is not newer than `-amd64`. */
export function flavourOf(release: string): string {
  return (FORM.exec(release)?.[2] ?? release).replace(/\d+/g, '#')
}

/** `*` is any text. */
export function matchesRelease(pattern: string, release: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === release
  if (!release.startsWith(first)) return false
  let at = first.length
  const last = rest.at(-1) ?? ''
  for (const part of rest.slice(0, -1)) {
    const found = release.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return release.length - last.length >= at && release.endsWith(last)
}

function numbersOf(release: string): readonly number[] {
  return (FORM.exec(release)?.[1] ?? '').split(/[.-]/).map(Number)
}
