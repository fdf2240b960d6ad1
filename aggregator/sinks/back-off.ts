/** When a sink that did not take a notification is asked again, and when that is given up. */

const FIRST_MS = 1_000
const LONGEST_MS = 300_000
/** With the waits below some 25 minutes: longer than most restarts and failovers take. */
export const ATTEMPTS_MAX = 13

/** After so many attempts that failed. `random`: from 0 to 1, so that not all sinks of all meshes ask at once. */
export function waitMs(failed: number, random: number, askedMs = 0): number {
  const longest = Math.min(FIRST_MS * 2 ** (failed - 1), LONGEST_MS)
  return Math.max(longest * (0.5 + random / 2), askedMs)
}
