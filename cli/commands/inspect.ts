import { type Command, Option } from 'commander'
import { LANGUAGES, type Language } from '../../common/languages.ts'
import { localZone } from '../../common/time-zone.ts'
import { covers, deltasOf } from '../../inspection/deltas.ts'
import { renderChanges } from '../../inspection/render/changes.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { exitCodeOf, INSPECTION_FORMATS, type InspectionFormat, languageOf, show } from '../inspect/show.ts'
import { take, taken } from '../inspect/take.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { localTime } from '../text.ts'

interface FormOptions extends ConnectionFlags {
  readonly output: InspectionFormat
  readonly lang?: Language
  readonly all?: true
}

interface InspectOptions extends FormOptions {
  readonly role?: readonly string[]
  readonly check?: readonly string[]
  readonly profile: string
  readonly fresh?: true
}

interface ListOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly profile?: string
  readonly limit: string
}

interface DiffOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly lang?: Language
}

const EXIT_CODES =
  '\nExit codes: 0 fine, 3 when there is an error, an alarm or a silent node, 4 when the worst is a warning or not known, 1 error, 2 usage'

export function registerInspect(program: Command): void {
  const group = program
    .command('inspect')
    .description('every check on every node, counted by role: what is wrong, and who says nothing')

  // The default: options of the group itself would be taken from those of its other commands.
  const command = group
    .command('take', { isDefault: true })
    .description('take one, also without this word')
    .option('--role <role...>', 'these roles of the profile alone')
    .option('--check <check...>', 'these checks alone')
    .option('--profile <name>', 'what is looked at, as settings say', 'default')
    .option('--fresh', 'have every node look anew, in place of what it last reported')
    .addHelpText('after', EXIT_CODES)
    .action(async ({ role, check, profile, fresh, ...options }: InspectOptions) => {
      const connection = resolveConnection(options)
      const order = {
        profile,
        ...(role && { roles: role }),
        ...(check && { checks: check }),
        ...(fresh && { fresh }),
      }
      const { run, deltas } = await take(createClient(connection), order)
      show(run, deltas, { ...options, url: connection.url })
      process.exitCode = exitCodeOf(run)
    })
  addFormOptions(addConnectionOptions(command))
  group.addHelpText('after', () => `\n${command.helpInformation()}${EXIT_CODES}`)

  const list = group
    .command('list')
    .description('the inspections that are kept, newest first')
    .option('--profile <name>', 'of this profile alone')
    .option('--limit <count>', 'how many, 1 to 200', '20')
    .action(async ({ profile, limit, output, ...connection }: ListOptions) => {
      const items = await createClient(resolveConnection(connection)).inspections({ limit, profile })
      if (output === 'json') return printJson('InspectionList', items)
      const header = ['ID', 'AT', 'PROFILE', 'FROM', 'NODES', 'ERROR', 'ALARM', 'WARN', 'UNKNOWN']
      const rows = items.map(({ id, finishedAt, profile, origin, nodes, counts: { error, alarm, warn, unknown } }) => [
        id,
        localTime(finishedAt),
        profile,
        origin,
        ...[nodes, error, alarm, warn, unknown].map(String),
      ])
      print(table(header, rows))
    })
  addOutputOption(addConnectionOptions(list))

  const shown = group
    .command('show')
    .description('an inspection that is kept')
    .argument('<id>', 'of the list')
    .addHelpText('after', EXIT_CODES)
    .action(async (id: string, options: FormOptions) => {
      const connection = resolveConnection(options)
      const { run, deltas } = await taken(createClient(connection), id)
      show(run, deltas, { ...options, url: connection.url })
      process.exitCode = exitCodeOf(run)
    })
  addFormOptions(addConnectionOptions(shown))

  const diff = group
    .command('diff')
    .description('what changed from one inspection to another')
    .argument('<before>', 'id of the earlier one')
    .argument('<after>', 'id of the later one')
    .addOption(languageOption())
    .action(async (before: string, after: string, { output, lang, ...connection }: DiffOptions) => {
      const client = createClient(resolveConnection(connection))
      const [earlier, later] = [(await taken(client, before)).run, (await taken(client, after)).run]
      if (!covers(earlier, later)) note('they do not count the same: only what both count is compared')
      const deltas = deltasOf(earlier, later)
      if (output === 'json') return printJson('InspectionDeltas', [deltas])
      const language = lang ?? languageOf(process.env)
      print(renderChanges(later, deltas, { language, zone: localZone() }))
    })
  addOutputOption(addConnectionOptions(diff))
}

function addFormOptions(command: Command): void {
  command
    .addOption(languageOption())
    .option('--all', 'also the checks that have nothing to report')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(INSPECTION_FORMATS).default('table'))
}

function languageOption(): Option {
  return new Option('--lang <language>', "of the texts; by default this terminal's").choices(LANGUAGES)
}
