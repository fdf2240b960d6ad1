import type { Command } from 'commander'
import type { Snapshot } from '../../aggregator/model.ts'
import type { DecisionRequest } from '../../aggregator/remediation-model.ts'
import type { Remediation, RemediationPhase } from '../../remediators/contract.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { registerPauses } from '../remediations/pauses.ts'
import { refusedBy, registerShow } from '../remediations/show.ts'
import { type Cell, type CellStyle, table } from '../table.ts'
import { localTime, printable } from '../text.ts'

const STYLES: Partial<Record<RemediationPhase, CellStyle>> = {
  'awaiting-approval': 'yellow',
  verified: 'green',
  failed: 'red',
  'revert-failed': 'red',
  reverted: 'yellow',
  'no-effect': 'yellow',
  escalated: 'red',
}

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }

export function registerRemediations(program: Command): void {
  const group = program.command('remediations').description('fixes: those that wait for you, and what became of others')

  const list = group
    .command('list')
    .description('all of them, those that wait for a decision first')
    .action(async (options: CommonOptions) => {
      const { remediations, permits } = await createClient(resolveConnection(options)).state()
      const waits = (each: Remediation) => each.phase === 'awaiting-approval'
      const sorted = remediations.toSorted((a, b) => Number(waits(b)) - Number(waits(a)) || b.at.localeCompare(a.at))
      if (options.output === 'json') printJson('RemediationList', sorted)
      else {
        const rows = sorted.map((each) => row(each, permits))
        print(table(['ID', 'NODE', 'PHASE', 'FIX', 'CHANGE', 'RISK', 'REACH', 'SINCE', 'REFUSED BY'], rows))
      }
    })
  addOutputOption(addConnectionOptions(list))

  const approve = group
    .command('approve')
    .description('lets the node carry out this plan, once')
    .argument('<id>', 'id of the plan, as `remediations list` shows it')
    .option('--reason <text>', 'kept with the decision', '')
    .action((id: string, options: CommonOptions & { reason: string }) => decide(id, 'approve', options))
  addOutputOption(addConnectionOptions(approve))

  const reject = group
    .command('reject')
    .description('forbids this plan')
    .argument('<id>', 'id of the plan, as `remediations list` shows it')
    .requiredOption('--reason <text>', 'kept with the decision')
    .action((id: string, options: CommonOptions & { reason: string }) => decide(id, 'reject', options))
  addOutputOption(addConnectionOptions(reject))

  registerShow(group)
  registerPauses(group)
}

async function decide(planId: string, action: DecisionRequest['action'], options: CommonOptions & { reason: string }) {
  const client = createClient(resolveConnection(options))
  const decided = (await client.state()).remediations.find(({ plan }) => plan.id === planId)
  for (const { what, before, after, undo } of decided?.plan.changes ?? []) {
    note(`${action} on ${decided?.plan.node}: ${what}: ${before} → ${after} (undo: ${undo})`)
  }
  const event = await client.decide({ planId, action, reason: options.reason, via: 'cli' })
  if (options.output === 'json') printJson('EventList', [event])
  else print(`${printable(event.summary)}\n`)
}

function row({ plan, phase, at }: Remediation, permits: Snapshot['permits']): readonly Cell[] {
  const style = STYLES[phase]
  const isHalfApproved = permits.approvals.some(({ planId }) => planId === plan.id)
  const stands = isHalfApproved ? `${phase}, 1 of 2` : phase
  const [first, ...more] = plan.changes
  const change = first === undefined ? '' : `${first.what}: ${first.before} → ${first.after}`
  return [
    plan.id,
    plan.node,
    style === undefined ? stands : { text: stands, style },
    plan.remediator,
    more.length === 0 ? change : `${change} (and ${more.length} more)`,
    plan.risk,
    plan.reach,
    localTime(at),
    refusedBy(plan.id, permits),
  ]
}
