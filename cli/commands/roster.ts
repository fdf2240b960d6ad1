import type { Command } from 'commander'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { addReasonOption } from '../reason.ts'
import { printable } from '../text.ts'

export function registerRoster(program: Command): void {
  const group = program.command('roster').description('who is a member of the mesh')

  const release = group
    .command('release')
    .description('lets the changes through that wait because they are many at once; `starling members` lists them')
    .action(async (options: ConnectionFlags & { output: OutputFormat; reason: string }) => {
      const client = createClient(resolveConnection(options))
      const event = await client.releaseRoster({ reason: options.reason, via: 'cli' })
      if (options.output === 'json') printJson('EventList', [event])
      else print(`${printable(event.summary)}\n`)
    })
  addOutputOption(addConnectionOptions(addReasonOption(release)))
}
