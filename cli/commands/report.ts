import { type Command, Option } from 'commander'
import type { ReportView } from '../../aggregator/reports/model.ts'
import { LANGUAGES, type Language } from '../../common/languages.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { localTime, printable } from '../text.ts'
import { zoneOption } from '../zone-option.ts'

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }

interface PreviewOptions extends ConnectionFlags {
  readonly output: 'text' | 'html' | 'json'
  readonly lang: Language
  readonly zone: string
  readonly role?: string
}

export function registerReport(program: Command): void {
  const group = program.command('report').description('reports that are sent by mail, as files or to webhooks')

  const list = group
    .command('list')
    .description('which there are, when each is due, and where it goes')
    .action(async (options: CommonOptions) => {
      const reports = await createClient(resolveConnection(options)).reports()
      if (options.output === 'json') printJson('ReportList', reports)
      else print(table(['NAME', 'KIND', 'NEXT', 'SCHEDULE', 'TO', 'WAITING'], reports.map(row)))
    })
  addOutputOption(addConnectionOptions(list))

  const preview = group
    .command('preview')
    .description('a report as it would be sent now; nothing is sent')
    .argument('<name>', 'as `report list` shows it')
    .addOption(new Option('--lang <language>', 'its language').choices(LANGUAGES).default('en'))
    .addOption(zoneOption())
    .option('--role <role>', 'only that of this role')
    .addOption(new Option('-o, --output <format>', 'its form').choices(['text', 'html', 'json']).default('text'))
    .action(async (name: string, options: PreviewOptions) => {
      const client = createClient(resolveConnection(options))
      const { items } = await client.previewReport(name, { language: options.lang, zone: options.zone })
      const wanted = items.filter(({ role }) => options.role === undefined || role === options.role)
      if (options.output === 'json') printJson('ReportPreviewList', wanted)
      else if (options.output === 'html') print(wanted.map(({ html }) => html).join(''))
      else print(wanted.map(({ subject, text }) => `${printable(subject)}\n\n${lines(text)}`).join('\n'))
    })
  addConnectionOptions(preview)

  const send = group
    .command('send')
    .description('sends a report now, whether it is due or not')
    .argument('<name>', 'as `report list` shows it')
    .action(async (name: string, options: CommonOptions) => {
      const event = await createClient(resolveConnection(options)).sendReport(name)
      if (options.output === 'json') printJson('EventList', [event])
      else print(`${printable(event.summary)}\n`)
    })
  addOutputOption(addConnectionOptions(send))
}

function row({ name, kind, next, schedule, to, waiting }: ReportView): readonly string[] {
  const when = `${schedule.cron} ${schedule.timeZone}`
  return [name, kind, next === null ? 'never' : localTime(next), when, to.join(', '), String(waiting)]
}

/** The aggregator writes it harmless; one that is not ours may not. */
function lines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
