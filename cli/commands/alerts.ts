/** `starling alerts`: what people are told of now, silenced or not. */
import { type Command, Option } from 'commander'
import type { IncidentView } from '../../aggregator/alerting/views.ts'
import { LANGUAGES, type Language } from '../../common/languages.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, table } from '../table.ts'
import { localTime } from '../text.ts'

export function registerAlerts(program: Command): void {
  const alerts = program
    .command('alerts')
    .description('what people are told of now: one line for each cause, silenced or not')
    .addOption(languageOption())
    .action(async (options: ConnectionFlags & { output: OutputFormat; language: Language }) => {
      const items = await createClient(resolveConnection(options)).alerts(options.language)
      if (options.output === 'json') printJson('AlertList', items)
      else print(table(['SINCE', 'SEVERITY', 'STATE', 'WHAT', 'PARTS', 'TOLD'], items.map(row)))
    })
  addOutputOption(addConnectionOptions(alerts))
}

export function languageOption(): Option {
  return new Option('--language <language>', 'of the texts').choices(LANGUAGES).default('en')
}

function row({ openedAt, severity, state, title, count, told }: IncidentView): readonly Cell[] {
  return [localTime(openedAt), severity, state, title, String(count), told.map(({ sink }) => sink).join(', ')]
}
