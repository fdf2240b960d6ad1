/** An inspection as Markdown (GitHub's tables), for a ticket or a chat. */
import { say } from '../../common/languages.ts'
import type { InspectionPlace } from '../links.ts'
import { COLUMNS, type InspectionRun, type RoleSection, type Trouble } from '../model.ts'
import { COLUMN_TEXTS, checkTitle, roleTitle, SILENT_TEXTS, INSPECTION_TEXTS as TEXTS } from '../texts.ts'
import {
  againstOf,
  changeOf,
  changeText,
  countText,
  coverageOf,
  figuresOf,
  headOf,
  plain,
  type RenderOptions,
  rowsOf,
  titlesOf,
  troubleText,
} from './view.ts'

/** Details of more than this belong on the page or into JSON. */
const LISTED_MAX = 500

export function renderMarkdown(run: InspectionRun, options: RenderOptions): string {
  const { language, deltas, notes = [] } = options
  const [title = '', ...head] = headOf(run, options)
  const against = againstOf(options)
  const figures = figuresOf(run, options).map(({ label, count, change }) => {
    return `${label} ${count}${change === 0 ? '' : ` (${changeText(change)})`}`
  })
  const blocks = [
    `# ${text(title)}`,
    [
      head.map(text).join(' · '),
      `**${figures.map(text).join(' · ')}**`,
      ...(against === undefined ? [] : [text(against)]),
    ].join('  \n'),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${text(note)}`).join('\n')]),
    ...run.sections.flatMap((section) => sectionBlocks(section, run, options)),
    [text(coverageOf(run, options)), ...silentTable(run, options)].join('\n\n'),
    ...listed(say(TEXTS.details, language), run.troubles, run, options),
    ...(deltas === undefined ? [] : listed(say(TEXTS.appeared, language), deltas.appeared, run, options)),
    ...(deltas === undefined ? [] : listed(say(TEXTS.gone, language), deltas.gone, run, options)),
  ]
  return `${blocks.join('\n\n')}\n`
}

function sectionBlocks(section: RoleSection, { id }: InspectionRun, options: RenderOptions): readonly string[] {
  const { language, deltas } = options
  const heading = `## ${text(roleTitle(section, language))} (${section.nodes})`
  const rows = rowsOf(section, options)
  const folded = section.checks.length - rows.length
  if (rows.length === 0) return [heading, say(TEXTS.allFine, language)]
  const { role } = section
  const lines = rows.map((row) => [
    linked(text(checkTitle(row, language)), { id, role, check: row.check }, options) +
      (row.wanted === undefined ? '' : ` (${text(say(TEXTS.wanted, language, { value: row.wanted }))})`),
    ...COLUMNS.map((column) => {
      const count = row.counts[column]
      const change = column === 'info' ? '' : changeText(changeOf(deltas, role, row.check, column))
      const figure = countText(count) + (change === '' ? '' : ` (${change})`)
      return count === 0 ? figure : linked(figure, { id, role, check: row.check, column }, options)
    }),
  ])
  const labels = [say(TEXTS.check, language), ...COLUMNS.map((column) => say(COLUMN_TEXTS[column], language))]
  return [
    heading,
    [line(labels), `|${[' --- |', ...COLUMNS.map(() => ' ---: |')].join('')}`, ...lines.map(line)].join('\n'),
    ...(folded === 0 ? [] : [say(TEXTS.folded, language, { count: folded })]),
  ]
}

function silentTable({ silent }: InspectionRun, { language }: RenderOptions): readonly string[] {
  if (silent.length === 0) return []
  const labels = [TEXTS.node, TEXTS.roles, TEXTS.why].map((one) => say(one, language))
  const lines = silent.slice(0, LISTED_MAX).map(({ node, roles, why }) => {
    return line([text(node), text(roles.join(', ')), text(say(SILENT_TEXTS[why], language))])
  })
  const more = silent.length - lines.length
  return [
    `### ${say(TEXTS.silentNodes, language)}`,
    [line(labels), '| --- | --- | --- |', ...lines].join('\n'),
    ...(more === 0 ? [] : [say(TEXTS.more, language, { count: more })]),
  ]
}

function listed(
  title: string,
  troubles: readonly Trouble[],
  run: InspectionRun,
  options: RenderOptions,
): readonly string[] {
  if (troubles.length === 0) return []
  const { language } = options
  const titleOf = titlesOf(run, options)
  const labels = [TEXTS.severity, TEXTS.node, TEXTS.check, TEXTS.reason, TEXTS.summary].map((one) => say(one, language))
  const lines = troubles.slice(0, LISTED_MAX).map((trouble) => {
    const { column, node, check, reason } = trouble
    const said = [say(COLUMN_TEXTS[column], language), node, titleOf(check), reason]
    return line([...said, troubleText(trouble, options)].map(text))
  })
  const leftOut = troubles === run.troubles ? (run.leftOut ?? 0) : 0
  const more = troubles.length + leftOut - lines.length
  return [
    `## ${title}`,
    [line(labels), '| --- | --- | --- | --- | --- |', ...lines].join('\n'),
    ...(more === 0 ? [] : [say(TEXTS.more, language, { count: more })]),
  ]
}

function linked(shown: string, place: InspectionPlace, { link }: RenderOptions): string {
  return link === undefined ? shown : `[${shown}](<${link(place).replace(/[<>\s]/g, encodeURIComponent)}>)`
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** As text and nothing else: neither markup nor HTML, an address nor somebody's name that is told of it. */
function text(said: string): string {
  return plain(said)
    .replace(/[\\`*_{}[\]()#!|~]/g, (letter) => `\\${letter}`)
    .replace(/[<>&]/g, (letter) => ENTITIES[letter] ?? '')
    .replace(/@/g, '@\u2060')
    .replace(/:\/\//g, ':\u2060//')
}

/** Escaped with a backslash they would be HTML to programs that know less of Markdown. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
