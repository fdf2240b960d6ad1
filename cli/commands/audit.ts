import { type Command, InvalidArgumentError } from 'commander'
import type { AuditResult } from '../../aggregator/audit/check.ts'
import { counted } from '../../common/counted.ts'
import { ExitCode } from '../../common/errors.ts'
import type { Source } from '../audit/run.ts'
import { addConnectionOptions } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { localTime, printable } from '../text.ts'

interface VerifyOptions extends Source {
  readonly dir: string
  readonly mesh: string
  readonly roster?: string
  readonly ca?: string
  readonly signer: readonly string[]
  readonly head?: { readonly seq: number; readonly hash: string }
  readonly output: OutputFormat
}

export function registerAudit(program: Command): void {
  const group = program.command('audit').description('whether the history is what was stored')

  const verify = group
    .command('verify')
    .description('checks each event against the chain of hashes, and the chain against its signed heads')
    .option('--store <file>', "an aggregator's history, or postgres://…, in place of an aggregator that is asked")
    .option('--mesh <id>', 'mesh that it should be of', 'local')
    .option('--roster <file>', 'roster that names the aggregators whose signatures count')
    .option('--ca <file>', "the mesh CA's public key, PEM")
    .option('--signer <peer-id>', 'an aggregator whose signature counts too; may be given again', collect, [])
    .option('--head <seq:hash>', "a head that was noted elsewhere, as from the aggregator's log", parseHead)
    .addHelpText('after', '\nExit codes: 0 it holds, 3 it does not, 1 error, 2 usage')
    .action(async ({ head, output, ...options }: VerifyOptions) => {
      // Only here, as in agent.ts.
      const { verify: check } = await import('../audit/run.ts')
      const result = await check(options, options, head)
      if (output === 'json') printJson('AuditResult', [result])
      else
        print(
          describe(result)
            .map((line) => `${printable(line)}\n`)
            .join(''),
        )
      if (!result.holds) process.exitCode = ExitCode.problem
    })
  addOutputOption(addConnectionOptions(verify))

  const write = group
    .command('export')
    .description('writes all of it as JSON lines: each event with its hash, and the signed heads')
    .option('--store <file>', "an aggregator's history, or postgres://…, in place of an aggregator that is asked")
    .action(async (options: Source) => {
      const run = await import('../audit/run.ts')
      await run.write(options)
    })
  addConnectionOptions(write)
}

function describe({ holds, checked, first, earlier, heads, signed, unsigned, misfit }: AuditResult): readonly string[] {
  const lines = [
    holds
      ? `holds: ${counted(checked, 'event')} from ${first} on, ${counted(heads, 'signed head')}`
      : `does not hold: ${misfit?.why}`,
  ]
  if (misfit !== null) {
    const id = misfit.id === '' ? '' : ` (${misfit.id})`
    lines.push(`first at event ${misfit.seq}${id}; ${counted(checked, 'event')} before it fit, from ${first} on`)
  }
  if (signed !== null) {
    lines.push(
      `signed up to event ${signed.seq} by ${signed.node} (${signed.signer}) at ${localTime(signed.at)}: ${signed.hash}`,
    )
  }
  if (unsigned > 0) lines.push(`${counted(unsigned, 'event')} at the end fit, and nobody has signed for them yet`)
  if (earlier > 0) lines.push(`${counted(earlier, 'event')} from before the chain: nothing covers them`)
  return lines
}

function collect(peerId: string, before: readonly string[]): readonly string[] {
  return [...before, peerId]
}

function parseHead(text: string): { seq: number; hash: string } {
  const [, seq = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === '') throw new InvalidArgumentError('Give the place and the hash of an event, as 4711:9f86d0...')
  return { seq: Number(seq), hash }
}
