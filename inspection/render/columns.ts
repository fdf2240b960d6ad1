/** Text in columns of a terminal, where Chinese characters are two cells wide (Unicode TR 11, wide and fullwidth). */

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
const NO_WIDTH = /\p{M}/u

export function cellsOf(text: string): number {
  let cells = 0
  for (const letter of text) cells += NO_WIDTH.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1
  return cells
}

export function left(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cellsOf(text)))
}

export function right(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - cellsOf(text))) + text
}

/** At most so many cells wide, with an ellipsis where something was cut off. */
export function shortened(text: string, room: number): string {
  if (cellsOf(text) <= room) return text
  let kept = ''
  let cells = 1
  for (const letter of text) {
    cells += cellsOf(letter)
    if (cells > room) break
    kept += letter
  }
  return `${kept.trimEnd()}…`
}
