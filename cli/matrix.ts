/** Who sees whom, drawn for a terminal: a grid of glyphs with its legend, or each sight of a node in words. */
import { type MatrixRow, SIGHTS, type Sight, type SightView } from '../aggregator/model.ts'
import { formatDuration } from '../common/duration.ts'
import { type Cell, type CellStyle, line, table } from './table.ts'
import { printable } from './text.ts'

/** More observers than this get no columns of their own: then each row names its own. */
const COLUMNS_MAX = 12

const PICTURES: Readonly<Record<Sight, { readonly glyph: string; readonly style: CellStyle; readonly says: string }>> =
  {
    hears: { glyph: '●', style: 'green', says: 'hears it' },
    'host-answers': { glyph: '◐', style: 'yellow', says: 'its host answers, its agent does not' },
    silent: { glyph: '○', style: 'yellow', says: "misses it, the host's answer is not clear" },
    nothing: { glyph: '✕', style: 'red', says: 'nothing answers' },
    abstains: { glyph: '–', style: 'dim', says: 'abstains' },
    unknown: { glyph: '?', style: 'dim', says: 'says nothing about it' },
  }

/** A row for each subject, a column for each observer, how old what it says is, and what the glyphs mean. */
export function matrixGrid(rows: readonly MatrixRow[]): string {
  const observers = [...new Set(rows.flatMap(({ sights }) => sights.map(({ observer }) => observer)))].toSorted(byName)
  const isNarrow = observers.length <= COLUMNS_MAX
  const header = ['SUBJECT', 'STATE', ...(isNarrow ? observers : ['SEEN BY', 'NOT SEEN BY'])]
  const drawn = rows.map((row) => [row.subject, standing(row), ...(isNarrow ? cells(row, observers) : sides(row))])
  return `${table(header, drawn)}\n${isNarrow ? legend(rows) : ''}`
}

/** All that is known of how each observer sees these subjects. */
export function matrixDetails(rows: readonly MatrixRow[]): string {
  return rows
    .map((row) => {
      const heard = row.sights.filter(({ sees }) => sees === 'hears').length
      const title = `${row.subject} is ${standing(row)}, heard by ${heard} of ${row.sights.length} observers`
      const drawn = row.sights.map((sight) => [
        sight.observer,
        sight.zone,
        said(sight),
        sight.channel,
        age(sight),
        sight.from,
      ])
      return `${printable(title)}\n${table(['OBSERVER', 'ZONE', 'SEES', 'HOST ANSWERS', 'AGE', 'FROM'], drawn)}`
    })
    .join('\n')
}

function standing({ state, flags }: MatrixRow): string {
  return [state, ...flags].join('+')
}

function cells({ subject, sights }: MatrixRow, observers: readonly string[]): readonly Cell[] {
  return observers.map((observer) => {
    const sight = sights.find((each) => each.observer === observer)
    if (sight === undefined) return { text: observer === subject ? '·' : ' ', style: 'dim' }
    const { glyph, style } = PICTURES[sight.sees]
    // That a watcher hears is as good now as when it said so.
    return { text: sight.from === 'watching' ? glyph : `${glyph} ${age(sight)}`.trim(), style }
  })
}

/** In a large mesh each subject has observers of its own. */
function sides({ sights }: MatrixRow): readonly Cell[] {
  const side = (sees: (sight: Sight) => boolean) =>
    sights
      .filter((sight) => sees(sight.sees))
      .map((sight) => `${PICTURES[sight.sees].glyph} ${sight.observer}`)
      .join(', ')
  return [side((sight) => sight === 'hears'), side((sight) => sight !== 'hears')]
}

function said({ sees }: Pick<SightView, 'sees'>): Cell {
  const { glyph, style, says } = PICTURES[sees]
  return { text: `${glyph} ${says}`, style }
}

/** Nothing has no age. */
function age({ ageMs }: SightView): string {
  return ageMs === null ? '' : formatDuration(ageMs)
}

function legend(rows: readonly MatrixRow[]): string {
  const seen = new Set(rows.flatMap(({ sights }) => sights.map(({ sees }) => sees)))
  return line(
    SIGHTS.filter((sight) => seen.has(sight)).map((sees) => said({ sees })),
    [],
  )
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
