/**
 * The report of an inspection for one role, in the form that people of this trade know: a subject that says yes or no, first the
 * checks with how many nodes of each are how, then which nodes these are and why. Pure.
 */
import { COMMAS, type Language, SEMICOLONS, say, type Text } from '../../common/languages.ts'
import type { RoleDeltas } from '../../inspection/deltas.ts'
import { totalOf } from '../../inspection/matrix.ts'
import { type CheckRow, COLUMNS, type Counts, type RoleSection, TROUBLE_COLUMNS } from '../../inspection/model.ts'
import { checkTitle, roleTitle, SILENT_TEXTS } from '../../inspection/texts.ts'
import { zonedTime } from '../../inspection/zoned-time.ts'
import { detailsOf } from './inspection-details.ts'
import { type InspectionReportInput, linkTo, TONES, worstFirst } from './inspection-input.ts'
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
import { COLUMN_NAMES, FIGURE_NAMES, INSPECTION } from './texts.ts'

/** Of what stands in a subject. */
const NAME_CHARS_MAX = 63

export function inspectionReport(input: InspectionReportInput): Layout {
  const { run, deltas, role, language, zone } = input
  const section = run.sections.find((one) => one.role === role)
  const change = deltas?.roles.find((one) => one.role === role)
  const silent = silentOf(input).length
  const total = totalOf(section?.checks ?? [])
  const name = roleTitle(section ?? { role }, language)
  const words = { fleet: short(run.mesh, NAME_CHARS_MAX), role: short(name, NAME_CHARS_MAX) }
  const nodes = section?.nodes ?? 0
  const at = zonedTime(run.finishedAt, zone)
  const facts = [
    say(INSPECTION.when, language, { at, nodes: figure(nodes), heard: figure(nodes - silent) }),
    say(run.origin === 'fresh' ? INSPECTION.fresh : INSPECTION.fromState, language),
    deltas === undefined
      ? say(INSPECTION.noBefore, language)
      : say(INSPECTION.againstBefore, language, { at: zonedTime(deltas.against.finishedAt, zone) }),
  ]
  const link = linkTo(input)
  return {
    language,
    subject: subjectOf(words, total, silent, language),
    title: say(INSPECTION.title, language, words),
    facts,
    figures: section === undefined ? [] : figuresOf(input, total, change),
    sections: [
      { title: say(INSPECTION.brief, language), blocks: briefOf(input, section, change) },
      { title: say(INSPECTION.details, language), blocks: detailsOf(input) },
    ],
    footer: link === undefined ? [] : [{ text: say(INSPECTION.onPage, language), tone: 'muted', link }],
  }
}

function silentOf({ run, role }: Pick<InspectionReportInput, 'run' | 'role'>) {
  return run.silent.filter(({ roles }) => roles.includes(role))
}

interface Whose {
  readonly fleet: string
  readonly role: string
}

function subjectOf(words: Whose, total: Counts, silent: number, language: Language): string {
  const yes = (count: number) =>
    count === 0 ? say(INSPECTION.none, language) : say(INSPECTION.some, language, { count: figure(count) })
  const also = (text: Text, count: number) => (count === 0 ? '' : say(text, language, { count: figure(count) }))
  return say(INSPECTION.subject, language, {
    ...words,
    error: yes(total.error),
    alarm: yes(total.alarm),
    warn: yes(total.warn),
    // The form of old has no words for these, and without them such a mail would read as if all were well.
    more: also(INSPECTION.moreUnknown, total.unknown) + also(INSPECTION.moreSilent, silent),
  })
}

function figuresOf(input: InspectionReportInput, total: Counts, change: RoleDeltas | undefined): readonly Figure[] {
  const { deltas, role, language } = input
  const figures = TROUBLE_COLUMNS.map((column): Figure => {
    const value = countCell(total[column], TONES[column], linkTo(input, { column }))
    const below = deltaOf(change?.counts[column] ?? 0)
    return { name: say(FIGURE_NAMES[column], language), value: { ...value, below } }
  })
  const silent = silentOf(input).length
  if (silent === 0) return figures
  const isOf = ({ roles }: { readonly roles: readonly string[] }) => roles.includes(role)
  const more = (deltas?.fellSilent.filter(isOf).length ?? 0) - (deltas?.spokeAgain.filter(isOf).length ?? 0)
  const value = countCell(silent, 'silent', linkTo(input, { column: 'silent' }))
  return [...figures, { name: say(FIGURE_NAMES.silent, language), value: { ...value, below: deltaOf(more) } }]
}

/** The matrix: what fails first, what is fine folded into one line. */
function briefOf(
  input: InspectionReportInput,
  section: RoleSection | undefined,
  change: RoleDeltas | undefined,
): readonly Block[] {
  const { language } = input
  if (section === undefined) return [note(INSPECTION.notInspected, language)]
  if (section.nodes === 0) return [note(INSPECTION.noNodes, language)]
  const failing = section.checks.filter(({ counts }) => TROUBLE_COLUMNS.some((column) => counts[column] > 0))
  const good = section.checks.filter((row) => !failing.includes(row))
  const rows = failing.toSorted(worstFirst).map((row) => rowOf(input, row, change))
  const head = [say(INSPECTION.check, language), ...COLUMNS.map((column) => say(COLUMN_NAMES[column], language))]
  const blocks: Block[] = rows.length === 0 ? [] : [{ kind: 'table', head, rows }]
  const silent = silentOf(input)
  if (silent.length > 0) {
    const byWhy = Map.groupBy(silent, ({ why }) => why)
    const whys = [...byWhy].map(([why, of]) =>
      say(INSPECTION.silentWhy, language, { why: say(SILENT_TEXTS[why], language), count: figure(of.length) }),
    )
    const link = linkTo(input, { column: 'silent' })
    const cell = linked(say(INSPECTION.silentBrief, language, { count: figure(silent.length) }), 'silent', link)
    const rest = say(INSPECTION.silentWhys, language, { whys: whys.join(SEMICOLONS[language]) })
    blocks.push({ kind: 'note', cell, rest })
  }
  if (good.length > 0 && silent.length < section.nodes) {
    const checks = good.map((row) => checkTitle(row, language)).join(COMMAS[language])
    const words = { count: figure(good.length), checks }
    const text = failing.length === 0 ? INSPECTION.allGood : INSPECTION.restGood
    blocks.push({ kind: 'note', cell: muted(say(text, language, words)) })
  }
  return blocks
}

function rowOf(input: InspectionReportInput, row: CheckRow, change: RoleDeltas | undefined): Cell[] {
  const { check, counts } = row
  const more = change?.checks.find((one) => one.check === check)?.counts
  const cells = COLUMNS.map((column) => {
    const cell = countCell(counts[column], TONES[column], linkTo(input, { check, column }))
    return { ...cell, below: deltaOf(more?.[column] ?? 0) }
  })
  return [linked(checkTitle(row, input.language), 'link', linkTo(input, { check })), ...cells]
}

/** A nought is a dot, so that what is not stands out. */
function countCell(count: number, tone: Tone, link: string | undefined): Cell {
  return count === 0 ? muted('·') : linked(figure(count), tone, link)
}

function deltaOf(difference: number): string {
  if (difference === 0) return ''
  return difference > 0 ? `+${figure(difference)}` : `-${figure(-difference)}`
}

function note(text: Text, language: Language): Block {
  return { kind: 'note', cell: plain(say(text, language)) }
}
