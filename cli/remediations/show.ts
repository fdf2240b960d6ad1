/** One plan with all that is known of it: what it changes, what became of it, and which guards hold it back. */
import type { Command } from 'commander'
import type { EventKind, Snapshot, StoredEvent } from '../../aggregator/model.ts'
import { formatDuration } from '../../common/duration.ts'
import { StarlingError } from '../../common/errors.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { causalTree } from '../causal-tree.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { localTime, printable } from '../text.ts'
import { courseOf } from './course.ts'

/** Of which a plan's history consists. */
const KINDS: readonly EventKind[] = ['finding', 'plan', 'decision', 'permit', 'permit-refused', 'remediation']
/** Of its node, the newest: the most that the API gives at once. */
const EVENTS_READ = 1_000

export function registerShow(group: Command): void {
  const show = group
    .command('show')
    .description('one plan: what it changes, how it came to where it stands, and which guards hold it back')
    .argument('<id>', 'id of the plan, as `remediations list` shows it')
    .action(async (id: string, options: ConnectionFlags & { output: OutputFormat }) => {
      const client = createClient(resolveConnection(options))
      const { remediations, permits } = await client.state()
      const remediation = remediations.find(({ plan }) => plan.id === id)
      if (remediation === undefined) {
        throw new StarlingError(`there is no plan ${id}`, { remedy: '`starling remediations list` shows them' })
      }
      const refusal = permits.refused.find(({ planId }) => planId === id)
      const permit = permits.outstanding.find(({ planId }) => planId === id)
      const { plan } = remediation
      const events = courseOf(plan, await client.events({ node: plan.node, kinds: KINDS, limit: EVENTS_READ }))
      if (options.output === 'json') printJson('RemediationList', [{ ...remediation, refusal, permit, events }])
      else print(`${linesOf(remediation, permits).map(printable).join('\n')}\n${historyOf(events)}`)
    })
  addOutputOption(addConnectionOptions(show))
}

/** Why a plan is not begun at present, in a few words; empty when nothing stands against it. */
export function refusedBy(planId: string, { refused }: Snapshot['permits']): string {
  const guards = refused.find((refusal) => refusal.planId === planId)?.guards ?? []
  return guards.map(({ guard }) => guard).join(', ')
}

function historyOf(events: readonly StoredEvent[]): string {
  return events.length === 0 ? '' : `\nHow it came to that\n${causalTree(events)}`
}

function linesOf(
  { plan, phase, why, at, ...rule }: Remediation,
  { approvals, refused, outstanding }: Snapshot['permits'],
): string[] {
  const first = approvals.find(({ planId }) => planId === plan.id)
  const refusal = refused.find(({ planId }) => planId === plan.id)
  const permit = outstanding.find(({ planId }) => planId === plan.id)
  return [
    `${plan.id} on ${plan.node}: ${plan.remediator} for ${plan.reason}${plan.cause === '' ? '' : ` (${plan.cause})`}`,
    `${phase} since ${localTime(at)}: ${why}`,
    `risk ${plan.risk}, reach ${plan.reach}; policy ${rule.policy} in mode ${rule.mode}, rung ${rule.rung}, attempt ${rule.attempt}`,
    ...(first === undefined
      ? []
      : [`1 of 2 approved it, ${first.by}: somebody else must do so too, until ${localTime(first.until)}`]),
    ...plan.changes.map(({ what, before, after, undo }) => `  ${what}: ${before} → ${after} (undo: ${undo})`),
    ...(permit === undefined ? [] : [`permitted at ${localTime(permit.at)} by ${permit.id}; no outcome yet`]),
    ...(refusal === undefined
      ? []
      : [
          `not permitted at ${localTime(refusal.at)}, asked again in ${formatDuration(refusal.retryAfterMs)}:`,
          ...refusal.guards.map(({ guard, why: objection }) => `  ${guard}: ${objection}`),
        ]),
  ]
}
