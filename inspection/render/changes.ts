/** What changed between two inspections, in words, for a terminal. */
import { type Language, say } from '../../common/languages.ts'
import type { Deltas } from '../deltas.ts'
import { type Counts, type InspectionRun, type SilentNode, TROUBLE_COLUMNS, type Trouble } from '../model.ts'
import { COLUMN_TEXTS, roleTitle, SILENT_TEXTS, INSPECTION_TEXTS as TEXTS } from '../texts.ts'
import { againstOf, changeText, headOf, plain, type RenderOptions, titlesOf, troubleText } from './view.ts'

/** `deltas` are of this run. */
export function renderChanges(run: InspectionRun, deltas: Deltas, options: RenderOptions): string {
  const { language } = options
  const titleOf = titlesOf(run, options)
  const troubles = (list: readonly Trouble[]) =>
    list.map((trouble) => {
      const column = say(COLUMN_TEXTS[trouble.column], language)
      return `${column}  ${trouble.node}  ${titleOf(trouble.check)}: ${troubleText(trouble, options)}`
    })
  const silent = (list: readonly SilentNode[]) =>
    list.map(({ node, why }) => `${node}  ${say(SILENT_TEXTS[why], language)}`)
  const roles = run.sections.flatMap((section) => {
    const found = deltas.roles.find(({ role }) => role === section.role)
    return found === undefined ? [] : [`${roleTitle(section, language)}  ${changesText(found.counts, language)}`]
  })
  return [
    [headOf(run, options).join('  '), againstOf({ ...options, deltas }) ?? '', ...roles],
    titled(say(TEXTS.appeared, language), troubles(deltas.appeared)),
    titled(say(TEXTS.gone, language), troubles(deltas.gone)),
    titled(say(TEXTS.fellSilent, language), silent(deltas.fellSilent)),
    titled(say(TEXTS.spokeAgain, language), silent(deltas.spokeAgain)),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${plain(line)}\n`).join(''))
    .join('\n')
}

function changesText(counts: Counts, language: Language): string {
  const changed = TROUBLE_COLUMNS.filter((column) => counts[column] !== 0)
  if (changed.length === 0) return say(TEXTS.unchanged, language)
  return changed.map((column) => `${say(COLUMN_TEXTS[column], language)} ${changeText(counts[column])}`).join('  ')
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title} (${lines.length})`, ...lines.map((line) => `  ${line}`)]
}
