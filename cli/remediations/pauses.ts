/** Remediation rests for a while, goes on, and what failed is let go on. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Event } from '../../aggregator/model.ts'
import type { PauseScope, PauseView, ReleaseScope } from '../../aggregator/remediation-model.ts'
import { type Duration, isDuration } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { addReasonOption } from '../reason.ts'
import { type Cell, table } from '../table.ts'
import { localTime, printable } from '../text.ts'

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }
type DecidedOptions = CommonOptions & { readonly reason: string }
interface ScopeFlags {
  readonly pool?: string
  readonly node?: string
}

export function registerPauses(group: Command): void {
  const pause = group
    .command('pause')
    .description('begins no fix for a while; what runs is brought to its end, and reverts go on')
    .requiredOption('--for <time>', 'how long, 30d at most, such as 2h', readLength)
    .action(async (options: DecidedOptions & ScopeFlags & { for: Duration }) => {
      const client = createClient(resolveConnection(options))
      const release = { reason: options.reason, via: 'cli' } as const
      say(options, await client.pause(scopeOf(options), options.for, release))
    })
  addOutputOption(addConnectionOptions(addReasonOption(addScopeOptions(pause))))

  const resume = group
    .command('resume')
    .description('ends a pause before its time')
    .action(async (options: DecidedOptions & ScopeFlags) => {
      const client = createClient(resolveConnection(options))
      say(options, await client.resume(scopeOf(options), { reason: options.reason, via: 'cli' }))
    })
  addOutputOption(addConnectionOptions(addReasonOption(addScopeOptions(resume))))

  const pauses = group
    .command('pauses')
    .description('what rests, until when, and why')
    .action(async (options: CommonOptions) => {
      const items = (await createClient(resolveConnection(options)).state()).permits.pauses
      if (options.output === 'json') printJson('PauseList', items)
      else print(table(['WHERE', 'UNTIL', 'BY', 'REASON'], items.map(row)))
    })
  addOutputOption(addConnectionOptions(pauses))

  const release = group
    .command('release')
    .description('says that somebody has looked: what failed or spread until now holds nothing back any more')
    .option('--pool <name>', 'only in this pool')
    .option('--fault <reason>', 'only this reason of findings')
    .action(async (options: DecidedOptions & { pool?: string; fault?: string }) => {
      const client = createClient(resolveConnection(options))
      say(options, await client.releaseRemediation(releaseScopeOf(options), { reason: options.reason, via: 'cli' }))
    })
  addOutputOption(addConnectionOptions(addReasonOption(release)))
}

function addScopeOptions(command: Command): Command {
  return command.option('--pool <name>', 'only in this pool').option('--node <name>', 'only on this node')
}

function scopeOf({ pool, node }: ScopeFlags): PauseScope {
  if (pool !== undefined && node !== undefined) throw new UsageError('a pause is of a pool or of a node, not of both')
  if (node !== undefined) return { kind: 'node', name: node }
  return pool === undefined ? { kind: 'all' } : { kind: 'pool', name: pool }
}

function releaseScopeOf({ pool, fault }: { readonly pool?: string; readonly fault?: string }): ReleaseScope {
  if (pool !== undefined && fault !== undefined) throw new UsageError('release a pool or a fault, one after the other')
  if (fault !== undefined) return { kind: 'reason', name: fault }
  return pool === undefined ? { kind: 'all' } : { kind: 'pool', name: pool }
}

function readLength(text: string): Duration {
  if (isDuration(text)) return text
  throw new InvalidArgumentError('Write a number and m, h or d, as in 2h.')
}

function say({ output }: CommonOptions, event: Event): void {
  if (output === 'json') printJson('EventList', [event])
  else print(`${printable(event.summary)}\n`)
}

function row({ scope, until, by, reason }: PauseView): readonly Cell[] {
  const where = scope.kind === 'all' ? 'everywhere' : `${scope.kind} ${scope.name}`
  return [where, localTime(until), by, reason]
}
