/** Prints an inspection in the form that was asked for. */
import { styleText } from 'node:util'
import { ExitCode } from '../../common/errors.ts'
import { LANGUAGES, type Language } from '../../common/languages.ts'
import { localZone } from '../../common/time-zone.ts'
import type { Deltas } from '../../inspection/deltas.ts'
import { type InspectionPlace, inspectionPath } from '../../inspection/links.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import { renderCsv } from '../../inspection/render/csv.ts'
import { renderHtml } from '../../inspection/render/html.ts'
import { renderJson } from '../../inspection/render/json.ts'
import { renderMarkdown } from '../../inspection/render/markdown.ts'
import { renderTable } from '../../inspection/render/table.ts'
import { print } from '../output.ts'
import { terminalRoom } from '../table.ts'

export const INSPECTION_FORMATS = ['table', 'json', 'md', 'html', 'csv'] as const
export type InspectionFormat = (typeof INSPECTION_FORMATS)[number]

export interface ShowOptions {
  readonly output: InspectionFormat
  readonly lang?: Language
  readonly all?: true
  /** Of the page that links lead to. */
  readonly url: string
}

export function show(run: InspectionRun, deltas: Deltas | null, options: ShowOptions): void {
  print(rendered(run, deltas, options))
}

function rendered(run: InspectionRun, deltas: Deltas | null, { output, lang, all, url }: ShowOptions): string {
  const options = {
    language: lang ?? languageOf(process.env),
    zone: localZone(),
    all: all ?? false,
    ...(deltas && { deltas }),
  }
  const linked = { ...options, link: (place: InspectionPlace) => url + inspectionPath(place) }
  switch (output) {
    case 'json':
      return renderJson(run, options)
    case 'md':
      return renderMarkdown(run, linked)
    case 'html':
      return renderHtml(run, linked)
    case 'csv':
      return renderCsv(run, options)
    case 'table':
      return renderTable(run, {
        ...options,
        room: terminalRoom(),
        // It leaves colours out where there is no terminal, or NO_COLOR says so.
        style: (style, text) => styleText(style, text, { stream: process.stdout }),
        ...(all && { listed: Number.POSITIVE_INFINITY }),
      })
  }
}

/** What is unknown is no reason to call a fleet fine, and a silent node may be a dead one. */
export function exitCodeOf({ sections, silent }: InspectionRun): ExitCode {
  const rows = sections.flatMap(({ checks }) => checks.map(({ counts }) => counts))
  if (silent.length > 0 || rows.some(({ error, alarm }) => error + alarm > 0)) return ExitCode.problem
  if (rows.some(({ warn, unknown }) => warn + unknown > 0)) return ExitCode.warnings
  return ExitCode.ok
}

/** As this terminal's texts are (POSIX: the first of these that is set decides); English for all others. */
export function languageOf({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv): Language {
  const [said = ''] = [LC_ALL, LC_MESSAGES, LANG].filter(Boolean)
  return LANGUAGES.find((language) => said.toLowerCase().startsWith(language)) ?? 'en'
}
