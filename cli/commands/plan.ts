import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationMs, isDuration } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { type ApiClient, createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { markingSummary, markingTable } from '../plan/marking.ts'
import { remediationTables } from '../plan/remediation.ts'
import { localTime } from '../text.ts'

const WEEK = '7d'

interface PlanOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly marking?: true
  readonly remediation?: true
  readonly since: number
}

export function registerPlan(program: Command): void {
  const command = program
    .command('plan')
    .description('what would be done, or was, beside what came about without it')
    .option('--marking', 'of Nodes and pods in Kubernetes: each verdict, and what Kubernetes did')
    .option('--remediation', 'of faults: each rule, how often it would have acted, and how often that was not needed')
    .addOption(
      new Option('--since <length>', 'how far back, as 12h or 7d')
        .argParser(parseLength)
        .default(durationMs(WEEK), WEEK),
    )
    .action(async ({ marking, remediation, since, output, ...connection }: PlanOptions) => {
      if (marking === remediation) throw new UsageError('say what to plan', 'one of --marking and --remediation')
      const from = new Date(Date.now() - since).toISOString()
      const client = createClient(resolveConnection(connection))
      await (marking ? showMarking(client, from, output) : showRemediation(client, from, output))
    })
  addOutputOption(addConnectionOptions(command))
}

async function showMarking(client: ApiClient, from: string, output: OutputFormat): Promise<void> {
  const marks = await client.markingPlan(from)
  if (output === 'json') printJson('WouldBeMarkList', marks)
  else if (marks.length === 0) print(`no verdict since ${localTime(from)}\n`)
  else print(markingTable(marks))
  if (marks.length > 0) note(markingSummary(marks))
}

async function showRemediation(client: ApiClient, from: string, output: OutputFormat): Promise<void> {
  const report = await client.remediationPlan(from)
  if (output === 'json') printJson('RemediationReport', [report])
  else print(remediationTables(report))
}

function parseLength(text: string): number {
  if (isDuration(text)) return durationMs(text)
  throw new InvalidArgumentError('Give a length of time, as 12h or 7d.')
}
