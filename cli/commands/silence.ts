/** `starling silence`: nobody is told of what fits, for a while; it is kept and shown all the same. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { SilenceView } from '../../aggregator/alerting/views.ts'
import type { Event } from '../../aggregator/model.ts'
import { type Duration, isDuration } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import type { Selector } from '../../common/selector.ts'
import { SEVERITIES, type Severity } from '../../detectors/contract.ts'
import type { AlertMatch } from '../../settings/alerting.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { addReasonOption } from '../reason.ts'
import { type Cell, table } from '../table.ts'
import { localTime, printable } from '../text.ts'

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }
interface MatchFlags {
  readonly fault?: readonly string[]
  readonly rule?: readonly string[]
  readonly severity?: readonly Severity[]
  readonly role?: readonly string[]
  readonly pool?: readonly string[]
  readonly zone?: readonly string[]
  readonly node?: readonly string[]
}

export function registerSilence(program: Command): void {
  const group = program
    .command('silence')
    .description('has nobody told of something for a while; it is shown all the same')

  const add = group
    .command('add')
    .description('begins one; of each kind that is given one must fit')
    .option('--fault <reason...>', 'reasons of findings and verdicts, as DiskAlmostFull')
    .option('--rule <name...>', 'rules of the settings')
    .addOption(new Option('--severity <severity...>', 'how grave').choices(SEVERITIES))
    .option('--role <name...>', 'nodes of these roles')
    .option('--pool <name...>', 'nodes of these pools')
    .option('--zone <name...>', 'nodes of these zones')
    .option('--node <name...>', 'these nodes')
    .requiredOption('--for <time>', 'how long, such as 2h', readLength)
    .action(async (options: CommonOptions & MatchFlags & { for: Duration; reason: string }) => {
      const match = matchOf(options)
      say(options, await createClient(resolveConnection(options)).silence(match, options.for, options.reason))
    })
  addOutputOption(addConnectionOptions(addReasonOption(add)))

  const list = group
    .command('list')
    .description('those that count now; one that holds nothing back may be a mistake')
    .action(async (options: CommonOptions) => {
      const items = await createClient(resolveConnection(options)).silences()
      if (options.output === 'json') printJson('SilenceList', items)
      else print(table(['ID', 'UNTIL', 'BY', 'HOLDS', 'WHAT', 'REASON'], items.map(row)))
    })
  addOutputOption(addConnectionOptions(list))

  const expire = group
    .command('expire')
    .description('ends one before its time')
    .argument('<id>', 'as `silence list` shows it')
    .action(async (id: string, options: CommonOptions & { reason: string }) => {
      say(options, await createClient(resolveConnection(options)).endSilence(id, options.reason))
    })
  addOutputOption(addConnectionOptions(addReasonOption(expire)))
}

function matchOf({ fault, rule, severity, role, pool, zone, node }: MatchFlags): AlertMatch {
  const selector: Selector = {
    ...(role && { roles: [...role] }),
    ...(pool && { pools: [...pool] }),
    ...(zone && { zones: [...zone] }),
    ...(node && { nodes: [...node] }),
  }
  const match = {
    ...(fault && { reasons: fault }),
    ...(rule && { rules: rule }),
    ...(severity && { severities: severity }),
    ...(Object.keys(selector).length > 0 && { selector }),
  }
  if (Object.keys(match).length > 0) return match
  throw new UsageError(
    'this would silence everything',
    'say what: --fault, --rule, --severity, --role, --pool, --zone or --node',
  )
}

function readLength(text: string): Duration {
  if (isDuration(text)) return text
  throw new InvalidArgumentError('Write a number and m, h or d, as in 2h.')
}

function say({ output }: CommonOptions, event: Event): void {
  if (output === 'json') printJson('EventList', [event])
  else print(`${printable(event.summary)}\n`)
}

function row({ id, until, author, matches, match, reason }: SilenceView): readonly Cell[] {
  const { selector = {}, ...others } = match
  const what = Object.values({ ...others, ...selector }).map((names) => names.join('|'))
  return [id, localTime(until), author, String(matches), what.join(' '), reason]
}
