/**
 * An inspection as a page or a mail. Roles stand one under the other, so that a phone shows them; styles stand with each
 * element and nothing is fetched, since mail programs strip the one and block the other.
 */
import { LANGUAGE_TAGS, say } from '../../common/languages.ts'
import type { InspectionPlace } from '../links.ts'
import { COLUMNS, type Column, type InspectionRun, type RoleSection, type Trouble } from '../model.ts'
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

/** Some mail programs cut a message off beyond about 100 KB. */
const LISTED_MAX = 200

const FONT =
  "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans CJK SC','PingFang SC',sans-serif"
const BODY = `margin:0;padding:12px;background:#ffffff;color:#1f2328;font-size:15px;line-height:1.4;${FONT}`
/** Attributes in place of styles where there are such: they are short, and mail programs know them best. */
const TABLE =
  '<table cellpadding="3" cellspacing="0" style="border-collapse:collapse;width:100%;font-size:14px;overflow-wrap:anywhere">'
const HEAD_ROW = '<tr valign="bottom" style="border-bottom:2px solid #59636e;font-size:11px;overflow-wrap:normal">'
const ROW = '<tr valign="top" style="border-bottom:1px solid #d1d9e0">'
/** Long names are broken, short ones not: they are what people look for. */
const NAME = 'style="min-width:4.5em"'
const QUIET = 'color:#59636e'
/** Each at least 4.5 to 1 on white (WCAG 2.2, 1.4.3). */
const COLOURS: Readonly<Record<Column, string>> = {
  error: 'color:#a40e26;font-weight:700',
  alarm: 'color:#a40e26;font-weight:700',
  warn: 'color:#7d4e00;font-weight:700',
  info: QUIET,
  unknown: 'color:#6639ba;font-weight:700',
  silent: 'color:#6639ba;font-weight:700',
  notApplicable: QUIET,
}

/** `brief`: counts and silent nodes alone; `details`: what is wrong where. A mail may carry each as a part of its own. */
export interface HtmlOptions extends RenderOptions {
  readonly part?: 'brief' | 'details'
}

/** A whole document. */
export function renderHtml(run: InspectionRun, options: HtmlOptions): string {
  const [title = ''] = headOf(run, options)
  return `<!doctype html>
<html lang="${LANGUAGE_TAGS[options.language]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(`${title} ${run.mesh}`)}</title>
</head>
<body style="${BODY}">
${renderHtmlParts(run, options)}
</body>
</html>
`
}

/** What stands in the body of a document, for one of somebody else's. */
export function renderHtmlParts(run: InspectionRun, options: HtmlOptions): string {
  const { part } = options
  const { deltas, language } = options
  const brief = [
    head(run, options),
    ...run.sections.map((section) => sectionTable(section, run, options)),
    silence(run, options),
  ]
  const details = [
    troubleTable(say(TEXTS.details, language), run.troubles, run, options),
    ...(deltas === undefined
      ? []
      : [
          troubleTable(say(TEXTS.appeared, language), deltas.appeared, run, options),
          troubleTable(say(TEXTS.gone, language), deltas.gone, { ...run, id: deltas.against.id }, options),
        ]),
  ]
  const parts = part === 'brief' ? brief : part === 'details' ? details : [...brief, ...details]
  return parts.filter((html) => html !== '').join('\n')
}

function head(run: InspectionRun, options: RenderOptions): string {
  const { notes = [] } = options
  const [title = '', ...rest] = headOf(run, options)
  const against = againstOf(options)
  const figures = figuresOf(run, options).map(({ column, label, count, change }) => {
    const changed = change === 0 ? '' : ` <span style="${QUIET}">(${changeText(change)})</span>`
    const figure = `${text(label)} ${linked(String(count), { id: run.id, column }, options)}${changed}`
    return `<span style="white-space:nowrap;${count === 0 ? QUIET : COLOURS[column]}">${figure}</span>`
  })
  return [
    `<h1 style="font-size:20px;margin:0 0 4px">${linked(text(title), { id: run.id }, options)}</h1>`,
    `<p style="margin:0 0 8px;${QUIET}">${rest.map(text).join(' · ')}</p>`,
    `<p style="margin:0 0 4px;font-size:16px">${figures.join(' &nbsp; ')}</p>`,
    ...(against === undefined ? [] : [`<p style="margin:0 0 8px;${QUIET}">${text(against)}</p>`]),
    ...notes.map((note) => `<p style="margin:4px 0;font-weight:600">${text(note)}</p>`),
  ].join('\n')
}

function sectionTable(section: RoleSection, { id }: InspectionRun, options: RenderOptions): string {
  const { language, deltas } = options
  const { role } = section
  const rows = rowsOf(section, options)
  const folded = section.checks.length - rows.length
  const title = linked(text(roleTitle(section, language)), { id, role }, options)
  const heading = `<h2 style="font-size:16px;margin:16px 0 4px">${title} <span style="${QUIET};font-weight:400">(${section.nodes})</span></h2>`
  if (rows.length === 0) return `${heading}\n<p style="margin:0">${say(TEXTS.allFine, language)}</p>`
  const lines = rows.map((row) => {
    const wanted =
      row.wanted === undefined
        ? ''
        : `<br><span style="${QUIET}">${text(say(TEXTS.wanted, language, { value: row.wanted }))}</span>`
    const name = linked(text(checkTitle(row, language)), { id, role, check: row.check }, options)
    const cells = COLUMNS.map((column) => {
      const count = row.counts[column]
      const change = column === 'info' ? '' : changeText(changeOf(deltas, role, row.check, column))
      const changed = change === '' ? '' : `<br><span style="${QUIET};font-weight:400;font-size:11px">${change}</span>`
      const figure = count === 0 ? countText(0) : linked(String(count), { id, role, check: row.check, column }, options)
      return `<td align="right" style="${count === 0 ? QUIET : COLOURS[column]}">${figure}${changed}</td>`
    })
    return `${ROW}<td ${NAME}>${name}${wanted}</td>${cells.join('')}</tr>`
  })
  const labels = COLUMNS.map((column) => {
    return `<th align="right">${say(COLUMN_TEXTS[column], language)}</th>`
  })
  return [
    heading,
    TABLE,
    `${HEAD_ROW}<th align="left">${say(TEXTS.check, language)}</th>${labels.join('')}</tr>`,
    ...lines,
    '</table>',
    ...(folded === 0 ? [] : [`<p style="margin:4px 0;${QUIET}">${say(TEXTS.folded, language, { count: folded })}</p>`]),
  ].join('\n')
}

function silence(run: InspectionRun, options: RenderOptions): string {
  const { language } = options
  const coverage = `<p style="margin:16px 0 4px;font-weight:600">${text(coverageOf(run, options))}</p>`
  if (run.silent.length === 0) return coverage
  const rows = run.silent.slice(0, LISTED_MAX).map(({ node, roles, why }) => {
    const name = linked(text(node), { id: run.id, column: 'silent', node }, options)
    const cells = [name, text(roles.join(', ')), text(say(SILENT_TEXTS[why], language))]
    return `${ROW}${cells.map((cell) => `<td ${NAME}>${cell}</td>`).join('')}</tr>`
  })
  const labels = [TEXTS.node, TEXTS.roles, TEXTS.why].map((one) => say(one, language))
  return [coverage, listing(labels, rows), more(run.silent.length - rows.length, options)].join('\n')
}

function troubleTable(title: string, troubles: readonly Trouble[], run: InspectionRun, options: RenderOptions): string {
  if (troubles.length === 0) return ''
  const { language } = options
  const { id } = run
  const titleOf = titlesOf(run, options)
  const leftOut = troubles === run.troubles ? (run.leftOut ?? 0) : 0
  const rows = troubles.slice(0, LISTED_MAX).map((trouble) => {
    const { column, node, check, reason } = trouble
    const severity = `<span style="white-space:nowrap;${COLOURS[column]}">${say(COLUMN_TEXTS[column], language)}</span>`
    const name = linked(text(node), { id, check, column, node }, options)
    const said = `<strong>${text(titleOf(check))}</strong> ${text(troubleText(trouble, options))} <span style="${QUIET}">${text(reason)}</span>`
    return `${ROW}<td>${severity}</td><td ${NAME}>${name}</td><td>${said}</td></tr>`
  })
  const labels = [TEXTS.severity, TEXTS.node, TEXTS.summary].map((one) => say(one, language))
  return [
    `<h2 style="font-size:16px;margin:16px 0 4px">${title}</h2>`,
    listing(labels, rows),
    more(troubles.length + leftOut - rows.length, options),
  ].join('\n')
}

function listing(labels: readonly string[], rows: readonly string[]): string {
  const heads = labels.map((label) => `<th align="left">${label}</th>`)
  return `${TABLE}\n${HEAD_ROW}${heads.join('')}</tr>\n${rows.join('\n')}\n</table>`
}

function more(count: number, { language }: RenderOptions): string {
  return count === 0 ? '' : `<p style="margin:4px 0;${QUIET}">${say(TEXTS.more, language, { count })}</p>`
}

/** `html` must be escaped already. */
function linked(html: string, place: InspectionPlace, { link }: RenderOptions): string {
  return link === undefined ? html : `<a href="${text(link(place))}" style="color:inherit">${html}</a>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** As text and nothing else, in an element or in the quotes of an attribute. */
function text(said: string): string {
  return plain(said).replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '')
}
