/**
 * The report of an inspection for one role, in the form that people of this trade know: a subject that says yes or no, first the
 * checks with how many nodes of each are how, then which nodes these are and why. Pure.
 */
import { type Language, say, type Text } from '../../common/languages.ts'
import { type CheckRow, COLUMNS, type Column, type RoleSection } from '../../inspection/model.ts'
import { readUtc, writeLocal } from '../../remediators/policy/calendar.ts'
import { detailsOf } from './inspection-details.ts'
import {
  type InspectionReportInput,
  silentWhy,
  TONES,
  TROUBLES,
  type TroubleColumn,
  worstFirst,
} from './inspection-input.ts'
import {
  type Block,
  type Cell,
  type Figure,
  figure,
  type Layout,
  linked,
  muted,
  plain,
  short,
  type Tone,
} from './layout.ts'
import { linkTo } from './links.ts'
import { COLUMN_NAMES, FIGURE_NAMES, INSPECTION, ROLE_NAMES } from './texts.ts'

/** Of what stands in a subject. */
const NAME_CHARS_MAX = 63

export function inspectionReport(input: InspectionReportInput): Layout {
  const { run, before, role, language, zone, page } = input
  const section = run.sections.find((one) => one.role === role)
  const earlier = before?.sections.find((one) => one.role === role)
  const silent = run.silent.filter(({ roles }) => roles.includes(role)).length
  const totals = totalsOf(section)
  const name = roleName(section, role, language)
  const words = { fleet: short(run.mesh, NAME_CHARS_MAX), role: short(name, NAME_CHARS_MAX) }
  const at = (time: string) => writeLocal(readUtc(time), zone)
  const nodes = section?.nodes ?? 0
  const facts = [
    say(INSPECTION.when, language, { at: at(run.finishedAt), nodes: figure(nodes), heard: figure(nodes - silent) }),
    say(run.origin === 'fresh' ? INSPECTION.fresh : INSPECTION.fromState, language),
    before === undefined
      ? say(INSPECTION.noBefore, language)
      : say(INSPECTION.againstBefore, language, { at: at(before.finishedAt) }),
  ]
  const link = linkTo(page, run, { role })
  return {
    language,
    subject: subjectOf(words, totals, silent, language),
    title: say(INSPECTION.title, language, words),
    facts,
    figures: section === undefined ? [] : figuresOf(input, section, earlier, silent),
    sections: [
      { title: say(INSPECTION.brief, language), blocks: briefOf(input, section, earlier) },
      { title: say(INSPECTION.details, language), blocks: detailsOf(input) },
    ],
    footer: link === undefined ? [] : [{ text: say(INSPECTION.onPage, language), tone: 'muted', link }],
  }
}

function roleName(section: RoleSection | undefined, role: string, language: Language): string {
  const known: Text | undefined = Object.hasOwn(ROLE_NAMES, role) ? ROLE_NAMES[role] : undefined
  return known === undefined ? say(INSPECTION.role, language, { role: section?.role ?? role }) : say(known, language)
}

function subjectOf(
  words: Readonly<Record<string, string>>,
  totals: Readonly<Record<TroubleColumn, number>>,
  silent: number,
  language: Language,
): string {
  const yes = (count: number) =>
    count === 0 ? say(INSPECTION.none, language) : say(INSPECTION.some, language, { count: figure(count) })
  const also = (text: Text, count: number) => (count === 0 ? '' : say(text, language, { count: figure(count) }))
  return say(INSPECTION.subject, language, {
    ...words,
    error: yes(totals.error),
    alarm: yes(totals.alarm),
    warn: yes(totals.warn),
    // The form of old has no words for these, and without them such a mail would read as if all were well.
    more: also(INSPECTION.moreUnknown, totals.unknown) + also(INSPECTION.moreSilent, silent),
  })
}

function totalsOf(section: Pick<RoleSection, 'checks'> | undefined): Record<TroubleColumn, number> {
  const sum = (column: Column) => (section?.checks ?? []).reduce((total, { counts }) => total + counts[column], 0)
  return { error: sum('error'), alarm: sum('alarm'), warn: sum('warn'), unknown: sum('unknown') }
}

/** Every check has the silent ones of its role. */
function mostOf({ checks }: RoleSection, column: Column): number {
  return Math.max(0, ...checks.map(({ counts }) => counts[column]))
}

function figuresOf(
  { run, role, language, page }: InspectionReportInput,
  section: RoleSection,
  earlier: RoleSection | undefined,
  silent: number,
): readonly Figure[] {
  const totals = totalsOf(section)
  // Of checks that were there before, or a check that is new would read as a change for the worse.
  const known = earlier?.checks.map(({ check }) => check) ?? []
  const shared = totalsOf({ checks: section.checks.filter(({ check }) => known.includes(check)) })
  const old = totalsOf({ checks: earlier?.checks.filter((row) => section.checks.some(isSame(row))) ?? [] })
  const figures = TROUBLES.map((column): Figure => {
    const value = countCell(totals[column], TONES[column], linkTo(page, run, { role, column }))
    const below = earlier === undefined ? '' : deltaOf(shared[column] - old[column])
    return { name: say(FIGURE_NAMES[column], language), value: { ...value, below } }
  })
  if (silent === 0) return figures
  const silentBefore = earlier === undefined ? undefined : mostOf(earlier, 'silent')
  const below = silentBefore === undefined ? '' : deltaOf(silent - silentBefore)
  const value = { ...countCell(silent, 'silent', linkTo(page, run, { role, column: 'silent' })), below }
  return [...figures, { name: say(FIGURE_NAMES.silent, language), value }]
}

/** The matrix: what fails first, what is fine folded into one line. */
function briefOf(
  input: InspectionReportInput,
  section: RoleSection | undefined,
  earlier: RoleSection | undefined,
): readonly Block[] {
  const { run, role, language, page } = input
  if (section === undefined) return [note(INSPECTION.notInspected, language)]
  if (section.nodes === 0) return [note(INSPECTION.noNodes, language)]
  const failing = section.checks.filter(({ counts }) => TROUBLES.some((column) => counts[column] > 0))
  const good = section.checks.filter((row) => !failing.includes(row))
  const rows = failing.toSorted(worstFirst).map((row) => rowOf(input, row, earlier?.checks.find(isSame(row))))
  const head = [say(INSPECTION.check, language), ...COLUMNS.map((column) => say(COLUMN_NAMES[column], language))]
  const blocks: Block[] = rows.length === 0 ? [] : [{ kind: 'table', head, rows }]
  const silent = run.silent.filter(({ roles }) => roles.includes(role))
  if (silent.length > 0) {
    const byWhy = Map.groupBy(silent, ({ why }) => why)
    const whys = [...byWhy].map(([why, of]) =>
      say(INSPECTION.silentWhy, language, { why: silentWhy(why, language), count: figure(of.length) }),
    )
    const link = linkTo(page, run, { role, column: 'silent' })
    const cell = linked(say(INSPECTION.silentBrief, language, { count: figure(silent.length) }), 'silent', link)
    const rest = say(INSPECTION.silentWhys, language, { whys: whys.join(language === 'zh' ? '；' : '; ') })
    blocks.push({ kind: 'note', cell, rest })
  }
  if (good.length > 0 && silent.length < section.nodes) {
    const checks = good.map(({ check }) => check).join(language === 'zh' ? '、' : ', ')
    const words = { count: figure(good.length), checks }
    const text = failing.length === 0 ? INSPECTION.allGood : INSPECTION.restGood
    blocks.push({ kind: 'note', cell: muted(say(text, language, words)) })
  }
  return blocks
}

function rowOf({ run, role, page }: InspectionReportInput, row: CheckRow, before: CheckRow | undefined): Cell[] {
  const { check, counts } = row
  const cells = COLUMNS.map((column) => {
    const cell = countCell(counts[column], TONES[column], linkTo(page, run, { role, check, column }))
    return before === undefined ? cell : { ...cell, below: deltaOf(counts[column] - before.counts[column]) }
  })
  return [linked(check, 'link', linkTo(page, run, { role, check })), ...cells]
}

/** A nought is a dot, so that what is not stands out. */
function countCell(count: number, tone: Tone, link: string | undefined): Cell {
  return count === 0 ? muted('·') : linked(figure(count), tone, link)
}

function deltaOf(difference: number): string {
  if (difference === 0) return ''
  return difference > 0 ? `+${figure(difference)}` : `-${figure(-difference)}`
}

function isSame({ check }: CheckRow): (other: CheckRow) => boolean {
  return (other) => other.check === check
}

function note(text: Text, language: Language): Block {
  return { kind: 'note', cell: plain(say(text, language)) }
}
