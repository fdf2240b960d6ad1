import type { Command } from 'commander'
import { counted } from '../../common/counted.ts'
import { ExitCode } from '../../common/errors.ts'
import type { Finding, FindingStatus } from '../../detectors/contract.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, type CellStyle, table } from '../table.ts'
import { localTime } from '../text.ts'

const WORST_FIRST: readonly FindingStatus[] = ['error', 'alarm', 'warn', 'unknown', 'info', 'ok', 'not-applicable']

const STYLES: Partial<Record<FindingStatus, CellStyle>> = {
  error: 'red',
  alarm: 'red',
  warn: 'yellow',
  unknown: 'yellow',
  'not-applicable': 'dim',
}

interface FindingsOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly node?: string
  readonly all?: true
}

export function registerFindings(program: Command): void {
  const command = program
    .command('findings')
    .description('what the detectors found on the hosts, worst first')
    .option('--node <name>', 'of this node only')
    .option('--all', 'also the checks that are fine or do not apply')
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 3 when there is an error or an alarm, 4 when the worst is a warning or a broken probe, 1 error, 2 usage',
    )
    .action(async (options: FindingsOptions) => {
      const { findings } = await createClient(resolveConnection(options)).state()
      const concerned = findings.filter(({ node }) => options.node === undefined || node === options.node)
      const shown = concerned
        .filter(({ status }) => options.all || (status !== 'ok' && status !== 'not-applicable'))
        .toSorted((a, b) => rank(a) - rank(b) || a.node.localeCompare(b.node) || a.id.localeCompare(b.id))
      if (options.output === 'json') printJson('FindingList', shown)
      else print(table(['SEVERITY', 'NODE', 'DETECTOR', 'REASON', 'SINCE', 'SUMMARY'], shown.map(row)))
      const hidden = concerned.length - shown.length
      if (!options.all) note(`${counted(hidden, 'check')} fine or not applicable (--all shows all)`)
      process.exitCode = exitCodeFor(concerned)
    })
  addOutputOption(addConnectionOptions(command))
}

function exitCodeFor(findings: readonly Finding[]): ExitCode {
  const has = (...statuses: FindingStatus[]) => findings.some(({ status }) => statuses.includes(status))
  if (has('error', 'alarm')) return ExitCode.problem
  // A probe that broke is no reason to call the host fine.
  if (has('warn', 'unknown')) return ExitCode.warnings
  return ExitCode.ok
}

function rank(finding: Finding): number {
  return WORST_FIRST.indexOf(finding.status)
}

function row(finding: Finding): readonly Cell[] {
  const style = STYLES[finding.status]
  return [
    style === undefined ? finding.status : { text: finding.status, style },
    finding.node,
    finding.detector,
    finding.reason,
    localTime(finding.since),
    finding.summary,
  ]
}
