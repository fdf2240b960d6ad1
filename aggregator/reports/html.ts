/**
 * A report as the page of a mail: tables and inline styles, which every mail program obeys, nothing fetched from anywhere, one
 * column of 640 px at most that a phone shows whole. What is not understood (dark colours) is left out without harm.
 */
import { LANGUAGE_TAGS } from '../../common/languages.ts'
import {
  type Block,
  type Cell,
  type Figure,
  type Item,
  type Layout,
  oneLine,
  type Section,
  type Tone,
} from './layout.ts'

interface Colours {
  readonly ink: string
  readonly paper: string
}

const LIGHT: Readonly<Record<Tone, Colours>> = {
  error: { ink: '#b42318', paper: '#fdeceb' },
  alarm: { ink: '#b54708', paper: '#fef2e4' },
  warn: { ink: '#7a5b00', paper: '#fdf6d8' },
  fine: { ink: '#0b6b45', paper: '#e6f6ee' },
  unknown: { ink: '#6941c6', paper: '#f3effc' },
  silent: { ink: '#344054', paper: '#e9ecf1' },
  plain: { ink: '#1d2433', paper: '#ffffff' },
  muted: { ink: '#6b7280', paper: '#ffffff' },
  link: { ink: '#1d4fd7', paper: '#ffffff' },
}

const DARK: Readonly<Record<Tone, Colours>> = {
  error: { ink: '#ff9d94', paper: '#43201d' },
  alarm: { ink: '#ffb57a', paper: '#42290f' },
  warn: { ink: '#f2d675', paper: '#3a3110' },
  fine: { ink: '#7ddcae', paper: '#12352a' },
  unknown: { ink: '#c4adf7', paper: '#2e2447' },
  silent: { ink: '#d0d6e0', paper: '#323a48' },
  plain: { ink: '#e8ebf0', paper: '#1b2029' },
  muted: { ink: '#9aa3b2', paper: '#1b2029' },
  link: { ink: '#8db4ff', paper: '#1b2029' },
}

const FONTS = "-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',Arial,sans-serif"
const LINE = '#e3e6ec'
const GROUND = '#f1f3f6'
const TABLE = 'role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'

export function htmlOf(layout: Layout): string {
  const { language, subject, title, facts, figures, sections, footer } = layout
  return `<!doctype html>
<html lang="${LANGUAGE_TAGS[language]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>${escaped(subject)}</title>
<style>${darkStyles()}</style></head>
<body class="ground" style="margin:0;padding:0;background:${GROUND};-webkit-text-size-adjust:100%">
<table ${TABLE}><tr><td align="center" class="ground" style="background:${GROUND};padding:10px 0">
<table ${TABLE} style="max-width:640px;font-family:${FONTS}"><tr><td class="card" style="background:#ffffff;padding:16px 12px;color:${LIGHT.plain.ink}">
<h1 class="plain" style="margin:0 0 6px;font-size:19px;line-height:26px;color:${LIGHT.plain.ink}">${escaped(title)}</h1>
${facts.map((fact) => `<div class="muted" style="font-size:13px;line-height:19px;color:${LIGHT.muted.ink}">${escaped(fact)}</div>`).join('\n')}
${figuresHtml(figures)}
${sections.map(sectionHtml).join('\n')}
<div style="margin-top:18px;font-size:12px;line-height:18px">${footer.map((cell) => cellHtml(cell)).join('<br>')}</div>
</td></tr></table>
</td></tr></table>
</body></html>
`
}

function darkStyles(): string {
  const tones = Object.entries(DARK).flatMap(([tone, { ink, paper }]) => [
    `.${tone}{color:${ink}!important}`,
    `.on-${tone}{background:${paper}!important}`,
  ])
  return `@media (prefers-color-scheme:dark){.ground{background:#101319!important}.card{background:#1b2029!important}.line{border-color:#343b48!important}${tones.join('')}}`
}

function figuresHtml(figures: readonly Figure[]): string {
  if (figures.length === 0) return ''
  return `<div style="margin:10px -3px 0"><table ${TABLE} style="table-layout:fixed"><tr>${figures.map(figureHtml).join('')}</tr></table></div>`
}

/** More do not fit beside four others on a phone. */
const LARGE_CHARS_MAX = 5

function figureHtml({ name, value }: Figure): string {
  const { ink, paper } = LIGHT[value.tone]
  const below = `<div class="${value.tone}" style="font-size:11px;line-height:15px;color:${ink}">${escaped(value.below ?? '') || '&nbsp;'}</div>`
  return `<td valign="top" style="padding:0 3px"><table ${TABLE}><tr><td align="center" class="on-${value.tone}" style="background:${paper};border-radius:6px;padding:7px 2px 5px">
<div class="${value.tone}" style="font-size:12px;line-height:16px;color:${ink}">${escaped(name)}</div>
<div style="font-size:${[...value.text].length > LARGE_CHARS_MAX ? 16 : 22}px;line-height:28px;font-weight:700">${cellHtml({ ...value, below: '' })}</div>${below}</td></tr></table></td>`
}

function sectionHtml({ title, blocks }: Section): string {
  return `<h2 class="plain line" style="margin:22px 0 4px;padding-bottom:5px;border-bottom:2px solid ${LINE};font-size:16px;line-height:22px;color:${LIGHT.plain.ink}">${escaped(title)}</h2>
${blocks.map(blockHtml).join('\n')}`
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'note':
      return `<p style="margin:8px 0;font-size:13px;line-height:20px">${cellHtml(block.cell)}${quiet(block.rest)}</p>`
    case 'table':
      return tableHtml(block.head, block.rows)
    case 'items':
      return `<h3 style="margin:16px 0 2px;font-size:14px;line-height:20px">${cellHtml(block.title)}</h3>
${block.items.map(itemHtml).join('\n')}`
  }
}

function tableHtml(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const border = `border-bottom:1px solid ${LINE}`
  const heads = head.map((text, column) => {
    const place = column === 0 ? 'text-align:left' : 'text-align:center'
    return `<th class="muted line" style="${border};${place};padding:6px 1px;font-size:12px;line-height:15px;font-weight:600;vertical-align:bottom;color:${LIGHT.muted.ink}">${escaped(text)}</th>`
  })
  const lines = rows.map((cells) => {
    const tds = cells.map((cell, column) => {
      if (column === 0)
        return `<td align="left" class="line" style="${border};padding:7px 4px 7px 0;overflow-wrap:anywhere">${cellHtml(cell)}</td>`
      const isQuiet = cell.tone === 'plain' || cell.tone === 'muted'
      const paper = isQuiet ? '' : `;background:${LIGHT[cell.tone].paper};font-weight:700`
      return `<td class="line on-${cell.tone}" style="${border};padding:7px 1px${paper}">${cellHtml(cell)}</td>`
    })
    return `<tr align="center" style="font-size:13px;line-height:16px">${tds.join('')}</tr>`
  })
  return `<table width="100%" cellpadding="0" cellspacing="0" border="0" style="margin-top:6px;border-collapse:collapse">
<tr>${heads.join('')}</tr>
${lines.join('\n')}
</table>`
}

function itemHtml({ badge, lead, tag, text, names = '' }: Item): string {
  const { ink, paper } = LIGHT[badge?.tone ?? 'plain']
  const mark =
    badge === undefined
      ? ''
      : `<span class="${badge.tone} on-${badge.tone}" style="display:inline-block;background:${paper};color:${ink};border-radius:4px;padding:0 6px;font-size:12px;line-height:18px;font-weight:700">${escaped(badge.text)}</span> `
  const lines = [
    `<div style="font-size:14px;line-height:20px">${mark}${cellHtml({ ...lead, below: '' })}<span style="font-size:12px">${quiet(tag)}</span></div>`,
    text === ''
      ? ''
      : `<div class="plain" style="font-size:13px;line-height:19px;color:${LIGHT.plain.ink}">${escaped(text)}</div>`,
    names === '' ? '' : `<div style="font-size:12px;line-height:18px">${quiet(names)}</div>`,
  ]
  return `<div class="line" style="padding:6px 0;border-bottom:1px solid ${LINE};overflow-wrap:anywhere">${lines.join('')}</div>`
}

function quiet(text = ''): string {
  return text === '' ? '' : ` <span class="muted" style="color:${LIGHT.muted.ink}">${escaped(text)}</span>`
}

function cellHtml({ text, tone, link, below }: Cell): string {
  const { ink } = LIGHT[tone]
  const style = `color:${ink};text-decoration:${tone === 'link' ? 'none' : 'underline'}`
  const shown =
    link === undefined
      ? `<span class="${tone}" style="color:${ink}">${escaped(text)}</span>`
      : `<a class="${tone}" href="${escaped(link)}" style="${style}">${escaped(text)}</a>`
  if (below === undefined || below === '') return shown
  return `${shown}<div class="muted" style="font-size:11px;line-height:13px;font-weight:400;color:${LIGHT.muted.ink}">${escaped(below)}</div>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
