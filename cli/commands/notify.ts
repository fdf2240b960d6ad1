/** `starling notify`: tries a sink, and sends again what could not be delivered. */
import type { Command } from 'commander'
import type { DeadLetterView } from '../../aggregator/alerting/views.ts'
import { UsageError } from '../../common/errors.ts'
import type { Language } from '../../common/languages.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, table } from '../table.ts'
import { localTime } from '../text.ts'
import { zoneOption } from '../zone-option.ts'
import { languageOption } from './alerts.ts'

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }

export function registerNotify(program: Command): void {
  const group = program
    .command('notify')
    .description('where people are told: tries it, and what could not be delivered')

  const test = group
    .command('test')
    .description('tells a sink that this is a test; ends with 0 when the sink took it')
    .argument('<sink>', "as in `sinks` of the aggregator's configuration")
    .addOption(languageOption())
    .addOption(zoneOption())
    .action(async (sink: string, options: CommonOptions & { language: Language; zone: string }) => {
      const { language, zone } = options
      await createClient(resolveConnection(options)).testSink(sink, { language, zone })
      if (options.output === 'json') printJson('SinkList', [{ sink, delivered: true }])
      else print(`${sink} took it\n`)
    })
  addOutputOption(addConnectionOptions(test))

  const dead = group
    .command('dead')
    .description('what was given up, the newest last')
    .action(async (options: CommonOptions) =>
      show(options, await createClient(resolveConnection(options)).deadLetters()),
    )
  addOutputOption(addConnectionOptions(dead))

  const again = group
    .command('again')
    .description('sends what was given up again')
    .argument('[ids...]', 'as `notify dead` shows them')
    .option('--all', 'all of them')
    .action(async (ids: readonly string[], options: CommonOptions & { all?: true }) => {
      if (ids.length > 0 === (options.all === true)) throw new UsageError('name the letters, or say --all')
      show(options, await createClient(resolveConnection(options)).sendAgain(options.all ? 'all' : ids))
    })
  addOutputOption(addConnectionOptions(again))
}

function show({ output }: CommonOptions, letters: readonly DeadLetterView[]): void {
  if (output === 'json') printJson('DeadLetterList', letters)
  else print(table(['ID', 'AT', 'SINK', 'STATE', 'WHAT', 'WHY'], letters.map(row)))
}

function row({ id, at, sink, state, title, why }: DeadLetterView): readonly Cell[] {
  return [id, localTime(at), sink, state, title, why]
}
