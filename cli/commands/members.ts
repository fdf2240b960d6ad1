import type { Command } from 'commander'
import type { MemberState, MemberView } from '../../aggregator/model.ts'
import { ExitCode } from '../../common/errors.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, type CellStyle, table } from '../table.ts'
import { localTime } from '../text.ts'

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
    .addHelpText('after', '\nExit codes: 0 fine, 3 when a node is NodeDown, HostHung or AgentDown, 1 error, 2 usage')
    .action(async (options: ConnectionFlags & { output: OutputFormat }) => {
      const { members, notice, mesh } = await createClient(resolveConnection(options)).state()
      if (notice !== '') note(notice)
      if (mesh.frozen !== null) note(`Nobody is marked at present: ${mesh.frozen}`)
      if (options.output === 'json') printJson('MemberList', members)
      else print(table(['NODE', 'STATE', 'ZONE', 'ROLES', 'SINCE', 'COVERED', 'AGAINST', 'ADDRESS'], members.map(row)))
      if (members.some(({ state }) => DOWN.includes(state))) process.exitCode = ExitCode.problem
    })
  addOutputOption(addConnectionOptions(command))
}

function row(member: MemberView): readonly Cell[] {
  const against = member.votes.filter(({ opinion }) => opinion === 'silent').length
  return [
    member.node,
    { text: member.state, style: STYLES[member.state] },
    member.zone,
    member.roles.join(','),
    localTime(member.since),
    `${member.coveredBy.length} of ${member.observers.length}`,
    member.votes.length === 0 ? '' : `${against} of ${member.needed ?? '-'}`,
    member.address,
  ]
}
