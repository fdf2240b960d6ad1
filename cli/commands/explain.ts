import type { Command } from 'commander'
import type { Explanation, MarkView, VoteView } from '../../aggregator/model.ts'
import { formatDuration } from '../../common/duration.ts'
import { causalTree } from '../causal-tree.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { localTime, printable } from '../text.ts'

export function registerExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why a node is what it is: the events that led there, and the votes')
    .argument('<node>', 'name of the node')
    .action(async (node: string, options: ConnectionFlags & { output: OutputFormat }) => {
      const explanation = await createClient(resolveConnection(options)).explain(node)
      if (options.output === 'json') printJson('Explanation', [explanation])
      else print(describe(explanation))
    })
  addOutputOption(addConnectionOptions(command))
}

function describe({ member, chains }: Explanation): string {
  const about = [`zone ${member.zone}`, member.roles.join(', '), member.address].filter((part) => part !== '')
  const parts = [
    `${member.node} is ${[member.state, ...member.flags].join(' with ')} since ${localTime(member.since)} (${about.join('; ')})`,
  ]
  if (member.verdictId !== undefined) parts.push(`verdict ${member.verdictId}`)
  if (member.mark !== undefined) parts.push(inKubernetes(member.mark))
  if (member.missedBy.length > 0) {
    parts.push(`heard by ${member.seenBy.join(', ') || 'nobody'}; missed by ${member.missedBy.join(', ')}`)
  }
  const text = parts.map((part) => `${printable(part)}\n`)
  if (member.votes.length > 0) text.push('\n', votes(member.votes, member.needed))
  for (const { title, events } of chains) text.push('\n', `${printable(title)}\n`, causalTree(events))
  if (chains.length === 0) text.push('\nNothing led here: there is no event about it.\n')
  return text.join('')
}

function inKubernetes({ state, mode, effects, withheld, since }: MarkView): string {
  const what = state === 'withheld' ? withheld : effects.join(', ')
  return `in Kubernetes: ${state}, mode ${mode}, since ${localTime(since)}: ${what}`
}

function votes(held: readonly VoteView[], needed: number | null): string {
  const against = held.filter(({ opinion }) => opinion === 'silent').length
  const rows = held.map((vote) => [
    vote.voter,
    vote.zone,
    vote.opinion,
    vote.kind,
    vote.channel,
    formatDuration(vote.forMs),
  ])
  return `Votes: ${against} silent, ${needed === null ? 'too few observers for a verdict' : `${needed} needed`}\n${table(['VOTER', 'ZONE', 'OPINION', 'KIND', 'CHANNEL', 'FOR'], rows)}`
}
