/** "Did you mean …?": the candidate that a mistyped word most likely stands for. */

/** Further away than this it is another word, not a slip of the fingers. */
const EDITS_MAX = 3
/** A longer word is no name of ours; without a bound a hostile key would cost its length squared. */
const WORD_LENGTH_MAX = 100

/** The candidate with the fewest edits to `word`, the earlier one on a tie; undefined when all are over three edits away. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined
  let best: { candidate: string; edits: number } | undefined
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase())
    // Three edits turn any word of three letters into any other, so a slip must also leave most of the word standing.
    if (edits > EDITS_MAX || edits >= candidate.length) continue
    if (best === undefined || edits < best.edits) best = { candidate, edits }
  }
  return best?.candidate
}

/** Levenshtein distance: how many single letters are added, dropped or changed between `a` and `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(changed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
