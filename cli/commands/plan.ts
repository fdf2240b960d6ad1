import { type Command, InvalidArgumentError } from 'commander'
import type { WouldBeMark } from '../../aggregator/model.ts'
import { counted } from '../../common/counted.ts'
import { durationMs, formatDuration, isDuration } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
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
      else if (marks.length === 0) print(`no verdict since ${localTime(from)}\n`)
      else print(table(['TIME', 'NODE', 'VERDICT', 'LASTED', 'VOTES', 'EFFECT', 'KUBERNETES', 'WHY'], marks.map(row)))
      if (marks.length > 0) note(summaryOf(marks))
    })
  addOutputOption(addConnectionOptions(command))
}

/** For the question behind it: what would this do, and does Kubernetes see the same? */
function summaryOf(marks: readonly WouldBeMark[]): string {
  const counts = EFFECTS.map((effect) => [marks.filter((mark) => mark.effect === effect).length, effect] as const)
  const told = counts.filter(([count]) => count > 0).map(([count, effect]) => `${count} ${SAYS[effect]}`)
  const stock = marks.filter((mark) => mark.stock !== null).length
  return `${counted(marks.length, 'verdict')}: ${told.join(', ')}; Kubernetes itself held ${stock} of these nodes for not Ready meanwhile`
}

const SAYS: Readonly<Record<WouldBeMark['effect'], string>> = {
  marked: 'marked',
  'would-mark': 'would have been marked',
  withheld: 'withheld',
  none: 'without effect',
}
const EFFECTS = Object.keys(SAYS) as readonly WouldBeMark['effect'][]

function row({ at, node, kind, lengthMs, votes, effect, stock, why }: WouldBeMark): readonly Cell[] {
  const { silent, alive, abstained, needed } = votes
  return [
    localTime(at),
    node,
    kind,
    lengthMs === null ? 'still' : formatDuration(lengthMs),
    needed === 0 ? 'not known here' : `${silent} silent, ${alive} alive, ${abstained} abstained (${needed} needed)`,
    { text: effect, style: effect === 'marked' ? 'red' : 'yellow' },
    stock === null ? 'never' : `after ${formatDuration(stock.afterMs)}`,
    why,
  ]
}

function parseLength(text: string): number {
  if (isDuration(text)) return durationMs(text)
  throw new InvalidArgumentError('Give a length of time, as 12h or 7d.')
}
