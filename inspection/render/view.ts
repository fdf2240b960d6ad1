/** An inspection in words and figures, before it becomes a table, a page or a mail: what all forms of it have in common. */
import { type Language, say } from '../../common/languages.ts'
import { UNPRINTABLE } from '../../common/unprintable.ts'
import type { Deltas } from '../deltas.ts'
import type { InspectionPlace } from '../links.ts'
import { totalOf } from '../matrix.ts'
import { type CheckRow, COLUMNS, type Column, type InspectionRun, type RoleSection, type Trouble } from '../model.ts'
import { COLUMN_LETTERS, COLUMN_TEXTS, checkTitle, INSPECTION_TEXTS as TEXTS } from '../texts.ts'
import { zonedTime } from '../zoned-time.ts'

export interface RenderOptions {
  readonly language: Language
  /** IANA, as Asia/Shanghai. */
  readonly zone: string
  /** Against an earlier run; without them nothing is said of changes. */
  readonly deltas?: Deltas
  /** The address where this is explained; without it there are no links. */
  readonly link?: (place: InspectionPlace) => string
  /** Also checks that have nothing to report. */
  readonly all?: boolean
  /** Lines that belong under the head, as what waits for a person. */
  readonly notes?: readonly string[]
}

export interface Figure {
  readonly column: Column
  readonly label: string
  readonly count: number
  /** Against the earlier run; 0 when there is none. */
  readonly change: number
}

/** What of a whole fleet is worth a figure. */
const HEAD_COLUMNS = COLUMNS.filter((column) => column !== 'notApplicable')

/** Of all roles together; a node with several is counted in each. */
export function figuresOf(run: InspectionRun, { language, deltas }: RenderOptions): readonly Figure[] {
  const total = totalOf(run.sections.flatMap(({ checks }) => checks))
  return HEAD_COLUMNS.map((column) => {
    // In every row a silent node is silent, so of these the nodes are told.
    const count = column === 'silent' ? run.silent.length : total[column]
    const change =
      column === 'silent' && deltas !== undefined
        ? deltas.fellSilent.length - deltas.spokeAgain.length
        : (deltas?.counts[column] ?? 0)
    return { column, label: say(COLUMN_TEXTS[column], language), count, change }
  })
}

/** `Inspection 2026-11-21 08:00 +08:00 · prod-a · 214 nodes · as last reported` */
export function headOf(run: InspectionRun, { language, zone }: RenderOptions): readonly string[] {
  return [
    `${say(TEXTS.title, language)} ${zonedTime(run.finishedAt, zone)}`,
    run.mesh,
    ...(run.profile === 'default' ? [] : [run.profile]),
    say(TEXTS.nodes, language, { count: run.nodes }),
    say(TEXTS[run.origin], language),
  ]
}

export function againstOf({ language, zone, deltas }: RenderOptions): string | undefined {
  return deltas && say(TEXTS.against, language, { at: zonedTime(deltas.against.finishedAt, zone) })
}

export function coverageOf({ nodes, silent }: InspectionRun, { language }: RenderOptions): string {
  const heard = nodes - silent.length
  return say(TEXTS.coverage, language, { heard, nodes })
}

/** Those that have something to report, or all of them. */
export function rowsOf({ checks }: RoleSection, { all = false }: RenderOptions): readonly CheckRow[] {
  return all ? checks : checks.filter(hasTrouble)
}

export function hasTrouble({ counts }: CheckRow): boolean {
  return counts.error + counts.alarm + counts.warn + counts.unknown > 0
}

/** Nodes that have trouble with this check. */
export function troubledBy({ counts }: CheckRow): number {
  return counts.error + counts.alarm + counts.warn + counts.unknown
}

/** What each check is called in this run, as its profile had it. */
export function titlesOf({ sections }: InspectionRun, { language }: RenderOptions): (check: string) => string {
  const titles = new Map(
    sections.flatMap(({ checks }) => checks.map((row) => [row.check, checkTitle(row, language)] as const)),
  )
  return (check) => titles.get(check) ?? checkTitle({ check }, language)
}

/** How a cell changed since the earlier run; 0 when that is not known. */
export function changeOf(deltas: Deltas | undefined, role: string, check: string, column: Column): number {
  const ofRole = deltas?.roles.find((one) => one.role === role)
  return ofRole?.checks.find((one) => one.check === check)?.counts[column] ?? 0
}

/** `.` for nought, so that what is not nought is seen. */
export function countText(count: number): string {
  return count === 0 ? '.' : String(count)
}

/** What the letters over narrow columns stand for. */
export function legendOf({ language }: RenderOptions): string {
  return COLUMNS.map(
    (column) => `${say(COLUMN_LETTERS[column], language)} ${say(COLUMN_TEXTS[column], language)}`,
  ).join(' · ')
}

/** `+2` or `-1`; empty for no change. */
export function changeText(change: number): string {
  if (change === 0) return ''
  return change > 0 ? `+${change}` : String(change)
}

/** What is wrong, in a sentence. Of what was never reported there is none to be quoted. */
export function troubleText({ reason, summary, more = 0 }: Trouble, { language }: RenderOptions): string {
  const said = reason === 'NotReported' ? say(TEXTS.notReported, language) : summary || reason
  return more === 0 ? said : `${said} (${say(TEXTS.moreSuch, language, { count: more })})`
}

/** On one line, without what a screen would obey; a lone half of a surrogate pair is no character. */
export function plain(text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, ' ')
}
