import type { Command } from 'commander'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import type { Uninstalled } from '../../aggregator/kubernetes/uninstall.ts'
import { messageOf, StarlingError } from '../../common/errors.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'

interface UninstallOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly dryRun?: boolean
  readonly output: OutputFormat
}

export function registerUninstall(program: Command): void {
  const command = program
    .command('uninstall')
    .description('takes everything of ours off the Nodes and pods of a cluster; stop the aggregators first')
    .option('--kubeconfig <file>', 'how to reach the cluster (env: KUBECONFIG); else as the pod that this runs in')
    .option('--context <name>', 'of the kubeconfig')
    .option('--dry-run', 'only say what would be taken off')
    .action(async ({ kubeconfig = process.env.KUBECONFIG, context, dryRun = false, output }: UninstallOptions) => {
      // Only here: without a cluster nothing of Kubernetes is loaded.
      const { connectKubernetes } = await import('../../aggregator/kubernetes/client.ts')
      const { uninstall } = await import('../../aggregator/kubernetes/uninstall.ts')
      const { timesAt } = await import('../../aggregator/kubernetes/times.ts')
      const client = await connectKubernetes({ kubeconfig, context })
      try {
        show(await uninstall(client, { dryRun, times: timesAt(Date.now()) }), dryRun, output)
      } catch (cause) {
        const remedy = 'run it again: it goes on where it stopped'
        throw new StarlingError(`not all of it was taken off: ${messageOf(cause)}`, { remedy, cause })
      } finally {
        client.close()
      }
    })
  addOutputOption(command)
}

/** Of many pods the first few say which pattern it is. */
const NAMED_MAX = 5

function show({ removals, gated }: Uninstalled, dryRun: boolean, output: OutputFormat): void {
  if (output === 'json') printJson('RemovalList', removals)
  else if (removals.length === 0) print('nothing of ours is there\n')
  else {
    const rows = removals.map(({ kind, name }) => [kind, name])
    print(table([dryRun ? 'WOULD BE TAKEN OFF' : 'TAKEN OFF', 'FROM'], rows))
  }
  if (gated.length === 0) return
  const more = gated.length > NAMED_MAX ? ` and ${gated.length - NAMED_MAX} more` : ''
  note(
    `${gated.length} pods have the readiness gate ${GATE}, which stays open: ${gated.slice(0, NAMED_MAX).join(', ')}${more}`,
  )
  note('nobody opens it for new pods any more: take it out of what they are made from')
}
