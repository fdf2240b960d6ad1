import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ExitCode, messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { printable } from '../text.ts'

interface VerifyOptions {
  readonly dir: string
  readonly roster?: string
  readonly ca?: string
  readonly mesh: string
  readonly output: OutputFormat
}

/** Offline: no aggregator is asked, so a certificate can be checked where and when the mesh is gone. */
export function registerVerify(program: Command): void {
  const command = program
    .command('verify')
    .description("counts a verdict's certificate again, with nothing but the roster and the CA's key")
    .argument('<certificate>', 'file, as the page offers it for download')
    .option('--mesh <id>', 'mesh that it should be of', 'local')
    .option('--dir <folder>', 'folder of a local mesh, for roster and CA', '.starling')
    .option('--roster <file>', "roster of the certificate's epoch")
    .option('--ca <file>', "the mesh CA's public key, PEM")
    .addHelpText('after', '\nExit codes: 0 it holds, 3 it does not, 1 error, 2 usage')
    .action(async (file: string, options: VerifyOptions) => {
      // Only here, as in agent.ts.
      const { verifyVerdict } = await import('../../mesh/identity/verdict-file.ts')
      const { keptRoster } = await import('../../mesh/identity/identity-dir.ts')
      const stateDir = join(options.dir, 'aggregator-1')
      const rosterOf = (hash: string) => {
        // The one in force, unless the one that is meant was kept with an earlier verdict.
        const kept = keptRoster(stateDir, hash)
        return existsSync(kept) ? kept : join(stateDir, 'roster')
      }
      const { certificate: verdict, verification } = orExplain(file, () =>
        verifyVerdict({
          certificate: read(file),
          roster: (hash) => read(options.roster ?? rosterOf(hash)),
          ca: read(options.ca ?? join(options.dir, 'ca.pem')),
          mesh: options.mesh,
          wallMs: Date.now(),
        }),
      )
      const { subject, kind, verdictId, answers } = verdict
      if (options.output === 'json') printJson('Verification', [{ subject, kind, verdictId, ...verification }])
      else {
        const votes = answers.map(
          ({ answer }) => `  ${answer.voter}: ${answer.opinion}, ${answer.channel}, ${answer.forMs} ms`,
        )
        const result = verification.valid ? 'holds' : `does not hold: ${verification.why}`
        print(
          `${printable(`${kind} of ${subject} (${verdictId})`)}\n${votes.map(printable).join('\n')}\n${printable(result)}\n`,
        )
      }
      if (!verification.valid) process.exitCode = ExitCode.problem
    })
  addOutputOption(command)
}

function read(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file))
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`)
  }
}

function orExplain<T>(file: string, verify: () => T): T {
  try {
    return verify()
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    const remedy = 'give the roster and the CA of its mesh, and the mesh by --mesh'
    throw new StarlingError(`${file}: ${messageOf(cause)}`, { remedy, cause })
  }
}
