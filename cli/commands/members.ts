import type { Command } from 'commander'
import type { MarkingView, MemberState, MemberView, Snapshot } from '../../aggregator/model.ts'
import type { RosterView } from '../../aggregator/roster-model.ts'
import { ExitCode } from '../../common/errors.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, type CellStyle, table } from '../table.ts'
import { localTime, printable } from '../text.ts'

const DOWN: readonly MemberState[] = ['NodeDown', 'HostHung', 'Isolated', 'AgentDown']

const STYLES: Readonly<Record<MemberState, CellStyle>> = {
  alive: 'green',
  suspected: 'yellow',
  NodeDown: 'red',
  HostHung: 'red',
  AgentDown: 'red',
  Isolated: 'red',
  left: 'dim',
  unseen: 'dim',
}

export function registerMembers(program: Command): void {
  const command = program
    .command('members')
    .description('the nodes of the mesh and what the mesh holds them for')
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 3 when a node is NodeDown, HostHung, Isolated or AgentDown, 1 error, 2 usage',
    )
    .action(async (options: ConnectionFlags & { output: OutputFormat }) => {
      const { members, notice, mesh, roster, marking } = await createClient(resolveConnection(options)).state()
      if (notice !== '') note(notice)
      for (const line of standing(mesh)) note(line)
      if (marking !== null) note(written(marking))
      const columns = ['NODE', 'STATE', 'ZONE', 'ROLES', 'SINCE', 'COVERED', 'SEEN', 'AGAINST', 'ADDRESS']
      if (options.output === 'json') printJson('MemberList', members)
      else if (marking === null) print(table(columns, members.map(row)))
      else {
        const rows = members.map((member) => [...row(member), member.mark?.state ?? ''])
        print(table([...columns, 'KUBERNETES'], rows))
      }
      for (const member of members) if (member.flags.length > 0) note(why(member))
      for (const line of roster === null ? [] : clusterLines(roster)) note(printable(line))
      if (members.some(({ state }) => DOWN.includes(state))) process.exitCode = ExitCode.problem
    })
  addOutputOption(addConnectionOptions(command))
}

/** What concerns the whole mesh. */
function standing({ frozen, blind, hasQuorum }: Snapshot['mesh']): readonly string[] {
  return [
    ...(frozen === null ? [] : [`Nobody is marked at present: ${frozen}`]),
    ...(blind === null ? [] : [`Blind: ${blind.why}; the death of a node might not be found`]),
    ...(hasQuorum ? [] : ['Nobody is marked at present: no more than half of the live members answer this leader']),
  ]
}

/** What is written to the cluster, and whether it can be. */
function written({ mode, pools, stalled }: MarkingView): string {
  const modes = [mode, ...Object.entries(pools).map(([pool, other]) => `${pool} ${other}`)].join(', ')
  return stalled === null ? `Marking: ${modes}` : `Marking: ${modes}; nothing can be written at present: ${stalled}`
}

/** How members and Nodes of the cluster differ. */
function clusterLines({ stalled, uncovered, held }: RosterView): readonly string[] {
  return [
    ...(stalled === null ? [] : [`The roster does not follow the cluster: ${stalled}`]),
    ...held.map(({ why: tooMany, nodes }) => {
      return `Waiting for \`starling roster release\`: ${tooMany} (${nodes.join(', ')})`
    }),
    ...uncovered.map(({ node, why: reason }) => `${node}: not covered: ${reason}`),
  ]
}

/** Who sees a node whose links, or whose own sight, are at fault. */
function why({ node, flags, seenBy, missedBy }: MemberView): string {
  const sides = [
    ...(seenBy.length === 0 ? [] : [`heard by ${seenBy.join(', ')}`]),
    ...(missedBy.length === 0 ? [] : [`missed by ${missedBy.join(', ')}`]),
  ]
  return `${node}: ${flags.join(', ')}; ${sides.join('; ') || 'nobody says anything about it now'}`
}

function row(member: MemberView): readonly Cell[] {
  const against = member.votes.filter(({ opinion }) => opinion === 'silent').length
  return [
    member.node,
    { text: [member.state, ...member.flags].join('+'), style: styleOf(member) },
    member.zone,
    member.roles.join(','),
    localTime(member.since),
    `${member.coveredBy.length} of ${member.observers.length}`,
    `${member.seenBy.length} of ${member.observers.length}`,
    member.votes.length === 0 ? '' : `${against} of ${member.needed ?? '-'}`,
    member.address,
  ]
}

/** A node that lives in spite of its links is not quite well. */
function styleOf({ state, flags }: MemberView): CellStyle {
  return state === 'alive' && flags.length > 0 ? 'yellow' : STYLES[state]
}
