/** Aligned columns for a terminal; also fine for `awk`, since a column is ended by two spaces or more. */
import { styleText } from 'node:util'
import { printable } from './text.ts'

export type CellStyle = 'red' | 'yellow' | 'green' | 'dim'
export type Cell = string | { readonly text: string; readonly style: CellStyle }

/** Lines of a table, each ended by a line break; just the header when there are no rows. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => width(clean(cells[column] ?? '').text))))
  return lines.map((cells) => line(cells, widths)).join('')
}

/** One line whose columns are at least `widths` wide; a cell that is wider moves the rest of its line. */
export function line(cells: readonly Cell[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const { text, style } = clean(cell)
    const padding = ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(text)) + 2)
    // Coloured after measuring, and only the text: colour codes have a length, but no width.
    return (style === undefined ? text : styleText(style, text, { stream: process.stdout })) + padding
  })
  return `${padded.join('').trimEnd()}\n`
}

function clean(cell: Cell): { text: string; style?: CellStyle } {
  if (typeof cell === 'string') return { text: printable(cell) || '-' }
  return { text: printable(cell.text) || '-', style: cell.style }
}

function width(text: string): number {
  return [...text].length
}
