import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Command } from 'commander'
import type { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import type { Uninstalled } from '../../aggregator/kubernetes/uninstall.ts'
import { counted } from '../../common/counted.ts'
import { ExitCode, messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'

/** All pods of a large cluster come in one reply, and perhaps from far away. */
const REQUEST_MS = 60_000

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
    .option(
      '--kubeconfig <file>',
      'how to reach the cluster (env: KUBECONFIG); in a pod its own account, else ~/.kube/config',
    )
    .option('--context <name>', 'of the kubeconfig')
    .option('--dry-run', 'only say what would be taken off')
    .addHelpText(
      'after',
      '\nExit codes: 0 all of it is off, or nothing was there, 4 an aggregator may still run, 1 error, 2 usage',
    )
    .action(async ({ kubeconfig, context, dryRun = false, output }: UninstallOptions) => {
      // Only here: without a cluster nothing of Kubernetes is loaded.
      const { connectKubernetes } = await import('../../aggregator/kubernetes/client.ts')
      const { uninstall } = await import('../../aggregator/kubernetes/uninstall.ts')
      const { timesAt } = await import('../../aggregator/kubernetes/times.ts')
      const client = await connectKubernetes({
        kubeconfig: kubeconfig ?? usualKubeconfig(),
        context,
        timeoutMs: REQUEST_MS,
      })
      try {
        show(await uninstall(client, { dryRun, times: timesAt(Date.now()) }), dryRun, output)
      } catch (cause) {
        const what = dryRun ? 'what there is of ours is not known' : 'not all of it was taken off'
        throw new StarlingError(`${what}: ${messageOf(cause)}`, { remedy: remedyFor(cause, dryRun), cause })
      } finally {
        client.close()
      }
    })
  addOutputOption(command)
}

/** As kubectl finds its own; undefined in a pod, which has an account. Throws UsageError where there is none. */
function usualKubeconfig(): string | undefined {
  const listed = (process.env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  if (listed.length > 1) throw new UsageError('KUBECONFIG names several files', 'say which by --kubeconfig')
  if (listed.length > 0 || process.env.KUBERNETES_SERVICE_HOST !== undefined) return listed[0]
  const file = join(homedir(), '.kube', 'config')
  if (existsSync(file)) return file
  throw new UsageError(`which cluster? There is no ${file}`, 'say how to reach it by --kubeconfig, or by KUBECONFIG')
}

function remedyFor(cause: unknown, dryRun: boolean): string {
  const { kind, code } = cause as Partial<ApiError>
  if (code === 401) return 'these credentials are not accepted: give others by --kubeconfig or --context'
  if (kind === 'forbidden')
    return `this needs a right to ${dryRun ? RIGHTS_TO_LOOK : `${RIGHTS_TO_LOOK}, ${RIGHTS_TO_WRITE}`}`
  if (kind === 'unreachable' && /certificate/.test(messageOf(cause)))
    return 'does the kubeconfig name the CA of its server?'
  const again = dryRun ? 'run it again' : 'run it again: it goes on where it stopped'
  const isAway = kind === 'unreachable' || kind === 'timeout'
  return isAway ? `is the cluster of this context reached from here? Then ${again}` : again
}

const RIGHTS_TO_LOOK = 'list nodes, pods, leases, configmaps and remediations'
const RIGHTS_TO_WRITE = 'patch nodes, nodes/status and pods/status, and delete leases, configmaps and remediations'

/** Of many pods the first few say which pattern it is. */
const NAMED_MAX = 5

function show({ removals, gated }: Uninstalled, dryRun: boolean, output: OutputFormat): void {
  if (output === 'json') printJson('RemovalList', removals)
  else if (removals.length === 0) print('nothing of ours is there\n')
  else {
    const rows = removals.map(({ kind, name }) => [kind, name])
    print(table([dryRun ? 'WOULD BE TAKEN OFF' : 'TAKEN OFF', 'FROM'], rows))
  }
  if (gated.length > 0) {
    const more = gated.length > NAMED_MAX ? ` and ${gated.length - NAMED_MAX} more` : ''
    const named = `${gated.slice(0, NAMED_MAX).join(', ')}${more}`
    note(`${counted(gated.length, 'pod has', 'pods have')} the readiness gate ${GATE}, which stays open: ${named}`)
    note('nobody opens it for new pods any more: take it out of what they are made from')
  }
  const holder = removals.find((removal) => removal.holder !== undefined)?.holder
  if (holder === undefined) return
  note(`${holder} holds the Lease: ${STILL_RUNS}`)
  process.exitCode = ExitCode.warnings
}

const STILL_RUNS = 'an aggregator that still runs marks again; stop it, and run this once more'
