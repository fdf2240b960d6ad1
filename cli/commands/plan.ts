import { type Command, InvalidArgumentError } from 'commander'
import type { WouldBeMark } from '../../aggregator/model.ts'
import { durationMs, formatDuration, isDuration } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, table } from '../table.ts'
import { localTime } from '../text.ts'

interface PlanOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly marking?: true
  readonly since: number
}

export function registerPlan(program: Command): void {
  const command = program
    .command('plan')
    .description('what would be done, or was: each verdict and what marking made of it, beside what Kubernetes did')
    .option('--marking', 'of Nodes and pods in Kubernetes')
    .option('--since <length>', 'how far back, as 12h or 7d', parseLength, durationMs('7d'))
    .action(async ({ marking, since, output, ...connection }: PlanOptions) => {
      if (marking !== true) throw new UsageError('say what to plan', 'the one there is: --marking')
      const from = new Date(Date.now() - since).toISOString()
      const marks = await createClient(resolveConnection(connection)).markingPlan(from)
      if (output === 'json') printJson('WouldBeMarkList', marks)
      else print(table(['TIME', 'NODE', 'VERDICT', 'LASTED', 'VOTES', 'EFFECT', 'KUBERNETES', 'WHY'], marks.map(row)))
    })
  addOutputOption(addConnectionOptions(command))
}

function row({ at, node, kind, lengthMs, votes, effect, stock, why }: WouldBeMark): readonly Cell[] {
  const { silent, alive, abstained, needed } = votes
  return [
    localTime(at),
    node,
    kind,
    lengthMs === null ? 'still' : formatDuration(lengthMs),
    `${silent} silent, ${alive} alive, ${abstained} abstained (${needed} needed)`,
    { text: effect, style: effect === 'marked' ? 'red' : 'yellow' },
    stock === null ? 'never' : `after ${formatDuration(stock.afterMs)}`,
    why,
  ]
}

function parseLength(text: string): number {
  if (isDuration(text)) return durationMs(text)
  throw new InvalidArgumentError('Give a length of time, as 12h or 7d.')
}
