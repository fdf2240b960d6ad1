import { type Command, InvalidArgumentError } from 'commander'
import { EVENT_KINDS, type EventKind, type StoredEvent } from '../../aggregator/model.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { API_VERSION, addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, type CellStyle, line, table } from '../table.ts'
import { localTime } from '../text.ts'

const LIMIT_MAX = 1_000

const STYLES: Partial<Record<StoredEvent['tone'], CellStyle>> = { bad: 'red', good: 'green', act: 'yellow' }

interface EventsOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly node?: string
  readonly kind?: readonly EventKind[]
  readonly limit: number
  readonly follow?: true
}

export function registerEvents(program: Command): void {
  const command = program
    .command('events')
    .description('the history: what was seen, decided, done and not done, oldest first')
    .option('--node <name>', 'about this node only')
    .option('--kind <kinds>', `of these kinds only, joined by commas: ${EVENT_KINDS.join(', ')}`, parseKinds)
    .option('--limit <count>', `the newest that many, 1 to ${LIMIT_MAX}`, parseLimit, 50)
    .option('-f, --follow', 'go on with new ones as they happen; with -o json, one event to a line')
    .action(async (options: EventsOptions) => {
      const client = createClient(resolveConnection(options))
      const filter = { node: options.node, kinds: options.kind, limit: options.limit }
      if (!options.follow) {
        const events = await client.events(filter)
        if (options.output === 'json') printJson('EventList', events)
        else print(table(['SEQ', 'TIME', 'NODE', 'KIND', 'EVENT'], events.map(row)))
        return
      }
      const past = await client.eventsPage(filter)
      for (const event of past.items) printLine(event, options.output)
      for await (const event of client.follow(past, note)) {
        if (matches(event, options)) printLine(event, options.output)
      }
    })
  addOutputOption(addConnectionOptions(command))
}

function matches(event: StoredEvent, { node, kind }: EventsOptions): boolean {
  return (node === undefined || event.node === node) && (kind === undefined || kind.includes(event.kind))
}

/** While following, the widths of what is to come are not known, so columns have room for what is usual. */
function printLine(event: StoredEvent, format: OutputFormat): void {
  if (format === 'json') print(`${JSON.stringify({ apiVersion: API_VERSION, kind: 'Event', item: event })}\n`)
  else print(line(row(event), [6, 26, 12, 11]))
}

function row(event: StoredEvent): readonly Cell[] {
  const style = STYLES[event.tone]
  return [
    String(event.seq),
    localTime(event.at),
    event.node,
    style === undefined ? event.kind : { text: event.kind, style },
    event.summary,
  ]
}

function parseKinds(text: string): readonly EventKind[] {
  return text.split(',').map((name) => {
    const kind = EVENT_KINDS.find((known) => known === name)
    if (kind === undefined) throw new InvalidArgumentError(`"${name}" is not one of ${EVENT_KINDS.join(', ')}.`)
    return kind
  })
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new InvalidArgumentError(`Give a whole number from 1 to ${LIMIT_MAX}.`)
}
