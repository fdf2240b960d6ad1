/** Aligned columns for a terminal; also fine for `awk`, since a column is ended by two spaces or more. */
import { styleText } from 'node:util'
import { printable } from './text.ts'

export type CellStyle = 'red' | 'yellow' | 'green' | 'dim'
interface StyledText {
  readonly text: string
  readonly style?: CellStyle
}
export type Cell = string | StyledText

/** Less of a cell than this says nothing, so that in a terminal that is narrower still the lines are broken. */
const CELL_MIN = 8
const GAP = 2

/**
 * Lines of a table, each ended by a line break; just the header when there are no rows. With a `room` of so many characters
 * all cells but those of the first column are shortened where they are too wide, those of the widest columns first.
 */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], room = Infinity): string {
  const lines = [header, ...rows].map((cells) => cells.map(clean))
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => width(cells[column]?.text ?? ''))))
  const most = widestThatFits(widths, room)
  const fitting = widths.map((each, column) => (column === 0 ? each : Math.min(each, most)))
  return lines
    .map((cells) =>
      line(
        cells.map((cell, column) => shortened(cell, fitting[column])),
        fitting,
      ),
    )
    .join('')
}

/** Of this terminal, in characters; what is piped has all the room there is. */
export function terminalRoom(): number {
  return process.stdout.isTTY ? process.stdout.columns : Infinity
}

/** How wide the columns after the first may be for all to fit into `room`. */
function widestThatFits([first = 0, ...others]: readonly number[], room: number): number {
  let left = room - first - GAP * others.length
  const ascending = others.toSorted((a, b) => a - b)
  for (const [index, each] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index))
    if (each > share) return Math.max(CELL_MIN, share)
    left -= each
  }
  return Infinity
}

function shortened(cell: StyledText, most = Infinity): StyledText {
  const letters = [...cell.text]
  return letters.length <= most
    ? cell
    : {
        ...cell,
        text: `${letters
          .slice(0, most - 1)
          .join('')
          .trimEnd()}…`,
      }
}

/** One line whose columns are at least `widths` wide; a cell that is wider moves the rest of its line. */
export function line(cells: readonly Cell[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const { text, style } = clean(cell)
    const padding = ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(text)) + GAP)
    // Coloured after measuring, and only the text: colour codes have a length, but no width.
    return (style === undefined ? text : styleText(style, text, { stream: process.stdout })) + padding
  })
  return `${padded.join('').trimEnd()}\n`
}

function clean(cell: Cell): StyledText {
  if (typeof cell === 'string') return { text: printable(cell) || '-' }
  return { ...cell, text: printable(cell.text) || '-' }
}

function width(text: string): number {
  return [...text].length
}
