/** Whether something befell more of some nodes than chance, or what befalls all of them, explains. Pure. */

/** Nodes that it befell, of so many. */
export interface Share {
  readonly count: number
  readonly of: number
}

/**
 * One node in a hundred has something new by itself while it is watched: a disk fills, a process dies. Where the others
 * show more than that, something happens to all, and that rate is what is expected.
 */
const BY_ITSELF = 0.01

/** Counts of rare things scatter by about the root of what is expected; beyond three times that it is one in some 700. */
const DEVIATIONS = 3

/**
 * Of up to 9 nodes one is enough while the others are well, of 10 it takes 2, of 50 it takes 3, of 500 it takes 12. With no
 * others to hold them against, only chance excuses.
 */
export function isJump(newer: Share, older: Share): boolean {
  const rate = Math.max(BY_ITSELF, older.of === 0 ? 0 : older.count / older.of)
  const expected = newer.of * rate
  return newer.count > expected + DEVIATIONS * Math.sqrt(expected)
}
