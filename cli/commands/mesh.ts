import type { Command } from 'commander'
import type { MatrixRow } from '../../aggregator/model.ts'
import { ExitCode } from '../../common/errors.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { matrixDetails, matrixGrid } from '../matrix.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { addReasonOption } from '../reason.ts'
import { printable } from '../text.ts'

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }

export function registerMesh(program: Command): void {
  const group = program.command('mesh').description('how the members see each other, and the brake')

  const matrix = group
    .command('matrix')
    .description('who sees whom: the nodes in dispute, which not everyone hears')
    .argument('[node...]', 'these nodes, with all that is known of how each observer sees them')
    .option('--all', 'also the nodes that everyone hears')
    .addHelpText('after', '\nExit codes: 0 everyone hears everyone, 3 when a node is in dispute, 1 error, 2 usage')
    .action(async (nodes: readonly string[], options: CommonOptions & { all?: true }) => {
      const rows = await createClient(resolveConnection(options)).matrix(nodes)
      const shown = options.all || nodes.length > 0 ? rows : rows.filter(({ disputed }) => disputed)
      if (options.output === 'json') printJson('MatrixRowList', shown)
      else if (nodes.length > 0) print(matrixDetails(shown))
      else if (shown.length > 0) print(matrixGrid(shown))
      else print(nothingInDispute(rows))
      if (rows.some(({ disputed }) => disputed)) process.exitCode = ExitCode.problem
    })
  addOutputOption(addConnectionOptions(matrix))

  const release = group
    .command('release')
    .description('ends a freeze: nodes may be marked again, until yet more come into question')
    .action(async (options: CommonOptions & { reason: string }) => {
      const client = createClient(resolveConnection(options))
      const event = await client.release({ reason: options.reason, via: 'cli' })
      if (options.output === 'json') printJson('EventList', [event])
      else print(`${printable(event.summary)}\n`)
    })
  addOutputOption(addConnectionOptions(addReasonOption(release)))
}

function nothingInDispute(rows: readonly MatrixRow[]): string {
  const unwatched = rows.filter(({ sights }) => !sights.some(({ sees }) => sees === 'hears')).length
  const rest = unwatched === 0 ? '' : `, and nobody says anything about ${unwatched} of them`
  return `No node is in dispute: no observer misses any of the ${rows.length} members${rest}.\n`
}
