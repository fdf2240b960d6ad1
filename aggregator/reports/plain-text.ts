/** A report as the plain text of a mail, for terminals and for those who turn pages off: the same words, in columns. */
import { type Block, type Cell, type Item, type Layout, oneLine } from './layout.ts'

const GAP = '  '
const RULE_MAX = 78

export function plainTextOf({ title, facts, figures, sections, footer }: Layout): string {
  const counts = figures.map(({ name, value }) => `${oneLine(name)} ${withBelow(value)}`).join('   ')
  const parts = [
    [oneLine(title), ...facts.map(oneLine), ...(counts === '' ? [] : ['', counts])],
    ...sections.map((section) => {
      const name = oneLine(section.title)
      return [name, '-'.repeat(Math.min(RULE_MAX, widthOf(name))), ...section.blocks.flatMap(blockLines)]
    }),
    footer.map(withLink),
  ]
  const lines = parts.flatMap((part) => [...part, '']).map((line) => line.trimEnd())
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'note':
      return [oneLine(`${block.cell.text} ${block.rest ?? ''}`)]
    case 'table':
      return [...columns(block.head, block.rows), '']
    case 'items':
      return ['', oneLine(block.title.text), ...block.items.flatMap(itemLines)]
  }
}

function itemLines({ badge, lead, tag, text, names = '' }: Item): string[] {
  const mark = badge === undefined ? '' : `[${badge.text}]`
  const head = oneLine([mark, lead.text, tag].join(' '))
  const more = [text, names].filter((line) => line !== '').map((line) => `      ${oneLine(line)}`)
  return [`  ${head}`, ...more]
}

function columns(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const lines = [head.map(oneLine), ...rows.map((cells) => cells.map(withBelow))]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))))
  return lines.map((line) =>
    line
      .map((text, column) => {
        const room = ' '.repeat((widths[column] ?? 0) - widthOf(text))
        return column === 0 ? text + room : room + text
      })
      .join(GAP),
  )
}

function withBelow({ text, below = '' }: Cell): string {
  return oneLine(below === '' ? text : `${text} (${below})`)
}

function withLink({ text, link }: Cell): string {
  return oneLine(link === undefined ? text : `${text}: ${link}`)
}

/** Characters of East Asian scripts are two columns wide (Unicode TR 11). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u

export function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0)
}
