/**
 * An inspection on a terminal: roles side by side where there is room for them, else one under the other. Also the text twin
 * of a mail.
 */
import { type Language, say } from '../../common/languages.ts'
import { type CheckRow, COLUMNS, type Column, type InspectionRun, type RoleSection, type Trouble } from '../model.ts'
import {
  COLUMN_LETTERS,
  COLUMN_TEXTS,
  checkTitle,
  roleTitle,
  SILENT_TEXTS,
  INSPECTION_TEXTS as TEXTS,
} from '../texts.ts'
import { cellsOf, left, right, shortened } from './columns.ts'
import {
  againstOf,
  changeOf,
  changeText,
  countText,
  coverageOf,
  figuresOf,
  headOf,
  legendOf,
  plain,
  type RenderOptions,
  rowsOf,
  titlesOf,
  troubledBy,
  troubleText,
} from './view.ts'

export type TableStyle = 'red' | 'yellow' | 'dim' | 'bold'

export interface TableOptions extends RenderOptions {
  /** Characters in a line; without it as many as it takes. */
  readonly room?: number
  /** Colours a text of a terminal; without it there are no colours. */
  readonly style?: (style: TableStyle, text: string) => string
  /** Of troubles and of silent nodes, each; the rest is counted. */
  readonly listed?: number
}

const LISTED = 20
const STYLES: Partial<Readonly<Record<Column, TableStyle>>> = {
  error: 'red',
  alarm: 'red',
  warn: 'yellow',
  unknown: 'yellow',
  silent: 'yellow',
  info: 'dim',
  notApplicable: 'dim',
}
/** Between roles, beside the one between columns. */
const ROLE_GAP = 2
const UNBOUND = Number.POSITIVE_INFINITY

export function renderTable(run: InspectionRun, options: TableOptions): string {
  const parts = [
    headLines(run, options),
    ...(options.notes === undefined || options.notes.length === 0 ? [] : [options.notes.map(plain)]),
    sideBySide(run, options) ?? stacked(run, options),
    silentLines(run, options),
    troubleLines(run, options),
    changeLines(options),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(''))
    .join('\n')
}

function headLines(run: InspectionRun, options: TableOptions): readonly string[] {
  const { room = UNBOUND, style = unstyled } = options
  const figures = figuresOf(run, options).map(({ column, label, count, change }) => {
    const text = `${label} ${count}${change === 0 ? '' : ` (${changeText(change)})`}`
    return { text, shown: count === 0 ? text : style(STYLES[column] ?? 'bold', text) }
  })
  const against = againstOf(options)
  return [
    ...wrapped(
      headOf(run, options).map((text) => ({ text: plain(text), shown: plain(text) })),
      room,
    ),
    ...wrapped(figures, room),
    ...(against === undefined ? [] : [against]),
  ]
}

/** Words that stay whole, two spaces between them. */
function wrapped(words: readonly { readonly text: string; readonly shown: string }[], room: number): readonly string[] {
  const lines: string[][] = []
  let width = 0
  for (const { text, shown } of words) {
    width += 2 + cellsOf(text)
    const line = lines.at(-1)
    if (line !== undefined && width <= room) line.push(shown)
    else {
      lines.push([shown])
      width = cellsOf(text)
    }
  }
  return lines.map((line) => line.join('  '))
}

/** Undefined when there is no room for that. */
function sideBySide(run: InspectionRun, options: TableOptions): readonly string[] | undefined {
  const { language, room = UNBOUND } = options
  const checks = checksOf(run, options)
  if (checks.length === 0) return fine(run, options)
  const roles = run.sections.map((section) => {
    const title = `${plain(roleTitle(section, language))} (${section.nodes})`
    const columns = COLUMNS.map((column) => {
      const letter = say(COLUMN_LETTERS[column], language)
      const widths = section.checks.map(({ counts }) => countText(counts[column]).length)
      return { column, letter, width: Math.max(cellsOf(letter), ...widths) }
    })
    const width = columns.reduce((sum, { width }) => sum + width + 1, -1)
    return { section, title, columns, width: Math.max(width, cellsOf(title)) }
  })
  const first = Math.max(...checks.map(({ title }) => cellsOf(title)), cellsOf(say(TEXTS.check, language)))
  const troubled = checks.map(({ rows }) =>
    say(TEXTS.nodes, language, { count: Math.max(...rows.map((row) => (row ? troubledBy(row) : 0))) }),
  )
  const gap = ' '.repeat(ROLE_GAP + 1)
  const widest = Math.max(...troubled.map(cellsOf)) + 3
  if (roles.reduce((sum, { width }) => sum + width + gap.length, first) + gap.length + widest > room) return undefined
  const heads = roles.map(({ columns }) => columns.map(({ letter, width }) => right(letter, width)).join(' '))
  const lines = checks.map(({ title, rows }, index) => {
    const cells = roles.map(({ columns, width }, at) => cellsIn(columns, rows[at], width, options))
    return `${left(title, first)}${gap}${cells.join(gap)}${gap}-> ${troubled[index]}`
  })
  return [
    `${' '.repeat(first)}${gap}${roles.map(({ title, width }) => left(title, width)).join(gap)}`,
    `${left(say(TEXTS.check, language), first)}${gap}${roles.map(({ width }, at) => left(heads[at] ?? '', width)).join(gap)}`,
    ...lines,
    ...folded(run, checks.length, options),
    legendOf(options),
  ]
}

/** The cells of one check in one role; blank where the role has no such check. */
function cellsIn(
  columns: readonly { readonly column: Column; readonly width: number }[],
  row: CheckRow | undefined,
  width: number,
  { style = unstyled }: TableOptions,
): string {
  if (row === undefined) return ' '.repeat(width)
  const cells = columns.map(({ column, width }) => {
    const text = right(countText(row.counts[column]), width)
    return row.counts[column] === 0 ? style('dim', text) : style(STYLES[column] ?? 'bold', text)
  })
  const used = columns.reduce((sum, { width }) => sum + width + 1, -1)
  return cells.join(' ') + ' '.repeat(Math.max(0, width - used))
}

/** The checks of all roles, each once, in the order of the roles; with its row in each. */
function checksOf({ sections }: InspectionRun, options: RenderOptions) {
  const titles = new Map<string, string>()
  for (const section of sections) {
    for (const row of rowsOf(section, options)) {
      if (!titles.has(row.check)) titles.set(row.check, titleOf(row, options.language))
    }
  }
  return [...titles].map(([check, title]) => ({
    check,
    title,
    rows: sections.map(({ checks }) => checks.find((one) => one.check === check)),
  }))
}

function titleOf(row: CheckRow, language: Language): string {
  const title = checkTitle(row, language)
  return plain(row.wanted === undefined ? title : `${title} (${say(TEXTS.wanted, language, { value: row.wanted })})`)
}

function stacked(run: InspectionRun, options: TableOptions): readonly string[] {
  return run.sections.flatMap((section, index) => [...(index === 0 ? [] : ['']), ...sectionLines(section, options)])
}

function sectionLines(section: RoleSection, options: TableOptions): readonly string[] {
  const { language, style = unstyled, deltas, room = UNBOUND } = options
  const heading = style('bold', `${plain(roleTitle(section, language))} (${section.nodes})`)
  const rows = rowsOf(section, options)
  if (rows.length === 0) return [heading, say(TEXTS.allFine, language)]
  const cells = rows.map((row) =>
    COLUMNS.map((column) => {
      const change = changeText(changeOf(deltas, section.role, row.check, column))
      return countText(row.counts[column]) + (change === '' || column === 'info' ? '' : `(${change})`)
    }),
  )
  const labels = COLUMNS.map((column) => say(COLUMN_TEXTS[column], language))
  const widths = labels.map((label, at) => Math.max(cellsOf(label), ...cells.map((row) => cellsOf(row[at] ?? ''))))
  const taken = widths.reduce((sum, width) => sum + width + 1, 0)
  const titles = rows.map((row) => titleOf(row, language))
  const widest = Math.max(...titles.map(cellsOf), cellsOf(say(TEXTS.check, language)))
  const first = Math.max(8, Math.min(widest, room - taken))
  const lines = rows.map(({ counts }, index) => {
    const figures = COLUMNS.map((column, at) => {
      const text = right(cells[index]?.[at] ?? '', widths[at] ?? 0)
      return style(counts[column] === 0 ? 'dim' : (STYLES[column] ?? 'bold'), text)
    })
    return `${left(shortened(titles[index] ?? '', first), first)} ${figures.join(' ')}`
  })
  const labelled = labels.map((label, at) => right(label, widths[at] ?? 0)).join(' ')
  const rest = section.checks.length - rows.length
  return [
    heading,
    `${left(say(TEXTS.check, language), first)} ${labelled}`,
    ...lines,
    ...(rest === 0 ? [] : [say(TEXTS.folded, language, { count: rest })]),
  ]
}

function fine(run: InspectionRun, { language }: TableOptions): readonly string[] {
  const heads = run.sections.map((section) => `${plain(roleTitle(section, language))} (${section.nodes})`)
  return [...heads, say(TEXTS.allFine, language)]
}

function folded({ sections }: InspectionRun, shown: number, { language }: TableOptions): readonly string[] {
  const all = new Set(sections.flatMap(({ checks }) => checks.map(({ check }) => check))).size
  return all === shown ? [] : [say(TEXTS.folded, language, { count: all - shown })]
}

function silentLines(run: InspectionRun, options: TableOptions): readonly string[] {
  const { language, listed = LISTED } = options
  const shown = run.silent.slice(0, listed)
  const width = Math.max(0, ...shown.map(({ node }) => cellsOf(plain(node))))
  return [
    coverageOf(run, options),
    ...shown.map(({ node, why }) => `  ${left(plain(node), width)}  ${say(SILENT_TEXTS[why], language)}`),
    ...rest(run.silent.length - shown.length, language),
  ]
}

function troubleLines(run: InspectionRun, options: TableOptions): readonly string[] {
  const { language, listed = LISTED } = options
  const shown = run.troubles.slice(0, listed)
  if (shown.length === 0) return []
  const all = run.troubles.length + (run.leftOut ?? 0)
  const nameOf = titlesOf(run, options)
  return [
    say(TEXTS.details, language),
    ...shown.map((trouble) => troubleLine(trouble, nameOf(trouble.check), options)),
    ...rest(all - shown.length, language),
  ]
}

function troubleLine(trouble: Trouble, title: string, options: TableOptions): string {
  const { language, style = unstyled, room = UNBOUND } = options
  const label = say(COLUMN_TEXTS[trouble.column], language)
  const said = plain(`${trouble.node}  ${title}: ${troubleText(trouble, options)}`)
  return `  ${style(STYLES[trouble.column] ?? 'bold', label)}  ${shortened(said, room - cellsOf(label) - 4)}`
}

/** Which troubles are new, and which are gone, by their number; the page and other forms name them. */
function changeLines({ deltas, language }: TableOptions): readonly string[] {
  if (deltas === undefined) return []
  const counts = [
    [TEXTS.appeared, deltas.appeared.length],
    [TEXTS.gone, deltas.gone.length],
    [TEXTS.fellSilent, deltas.fellSilent.length],
    [TEXTS.spokeAgain, deltas.spokeAgain.length],
  ] as const
  return [counts.map(([text, count]) => `${say(text, language)} ${count}`).join('  ')]
}

function rest(count: number, language: Language): readonly string[] {
  return count === 0 ? [] : [`  ${say(TEXTS.more, language, { count })}`]
}

const unstyled = (_: TableStyle, text: string) => text
