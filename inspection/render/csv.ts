/** An inspection for a spreadsheet (RFC 4180): a line for each role and check, with the names of the nodes in trouble. */
import { COLUMNS, type InspectionRun } from '../model.ts'
import { checkTitle, roleTitle } from '../texts.ts'
import { plain, type RenderOptions, rowsOf } from './view.ts'

/** Names of nodes in one cell; a spreadsheet cuts a cell at 32,767 characters. */
const NODES_MAX = 100

/** All checks, whether or not they have anything to report: a filter is what spreadsheets are for. */
export function renderCsv(run: InspectionRun, options: RenderOptions): string {
  const { language } = options
  const troubled = new Map<string, string[]>()
  for (const { roles, check, node } of run.troubles) {
    for (const role of roles) {
      const key = JSON.stringify([role, check])
      const nodes = troubled.get(key)
      if (nodes === undefined) troubled.set(key, [node])
      else nodes.push(node)
    }
  }
  const header = ['at', 'role', 'roleTitle', 'check', 'checkTitle', 'wanted', 'nodes', ...COLUMNS, 'troubledNodes']
  const lines = run.sections.flatMap((section) =>
    rowsOf(section, { ...options, all: true }).map((row) => [
      run.finishedAt,
      section.role,
      roleTitle(section, language),
      row.check,
      checkTitle(row, language),
      row.wanted ?? '',
      section.nodes,
      ...COLUMNS.map((column) => row.counts[column]),
      namesIn(troubled.get(JSON.stringify([section.role, row.check])) ?? []),
    ]),
  )
  return [header, ...lines].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')
}

function namesIn(nodes: readonly string[]): string {
  const shown = nodes.slice(0, NODES_MAX).join(' ')
  return nodes.length > NODES_MAX ? `${shown} …` : shown
}

/**
 * A text that begins as a formula would be one in a spreadsheet, and may send what is in the sheet elsewhere. A quote mark
 * before it makes it text (OWASP, CSV Injection). Some take the wide forms of these characters as well.
 */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const text = plain(value)
  const safe = /^\s*[=+\-@＝＋－＠]/.test(text) || /^[\t\r\n]/.test(value) ? `'${text}` : text
  return /[",\s]/.test(safe) || safe.startsWith("'") ? `"${safe.replaceAll('"', '""')}"` : safe
}
