import type { Command } from 'commander'
import { counted } from '../../common/counted.ts'
import { durationMs, isDuration } from '../../common/duration.ts'
import { messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { shownFigure, sparkline } from '../../detectors/usage/answer.ts'
import { FIGURES, type FigureName } from '../../detectors/usage/figures.ts'
import { type UsageAnswer, type UsageQuery, usageAnswerSchema } from '../../detectors/usage/notes.ts'
import { MINUTES } from '../../detectors/usage/ring.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { localTime, printable } from '../text.ts'

const AGENT = 'http://127.0.0.1:7791'
const TIMEOUT_MS = 10_000

interface UsageOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly container?: string
  readonly service?: string
  readonly since: string
  readonly local?: true
  readonly agent: string
}

export function registerUsage(program: Command): void {
  const command = program
    .command('usage')
    .description('what a node, its services and its containers used: each minute of the last 24 h')
    .argument('[node]', 'name of the node; not with --local')
    .option('--container <name>', 'containers with this in namespace/pod/container or id, instead of the worst')
    .option('--service <name>', 'services of systemd with this in their names, instead of the worst')
    .option('--since <duration>', 'how far back, up to 24h', '1h')
    .option('--local', 'ask the agent of this machine, without the mesh')
    .option('--agent <url>', 'with --local: where that agent serves its metrics', AGENT)
    .action(async (node: string | undefined, options: UsageOptions) => {
      const query = queryOf(options)
      const answer = await ask(node, options, query)
      if (options.output === 'json') printJson('Usage', [answer])
      else print(picture(answer))
      if (answer.matching > answer.subjects.length && query.subject !== '') {
        note(
          `${counted(answer.matching - answer.subjects.length, 'more has', 'more have')} "${query.subject}" in the name`,
        )
      }
    })
  addOutputOption(addConnectionOptions(command))
}

function queryOf({ since, container, service }: UsageOptions): UsageQuery {
  if (!isDuration(since)) throw new UsageError(`--since ${since}`, 'write a number and m or h, as in 30m')
  if (durationMs(since) > MINUTES * 60_000) {
    throw new UsageError(`--since ${since} is more than is kept, ${MINUTES / 60}h`, `give ${MINUTES / 60}h or less`)
  }
  if (container !== undefined && service !== undefined) {
    throw new UsageError('--container and --service', 'ask for one of them at a time')
  }
  const minutes = Math.max(1, Math.ceil(durationMs(since) / 60_000))
  return { subject: container ?? service ?? '', minutes }
}

function ask(node: string | undefined, options: UsageOptions, query: UsageQuery): Promise<UsageAnswer> {
  if (options.local) return askAgent(options.agent, query)
  if (node === undefined) throw new UsageError('no node', 'name one, or ask the agent of this machine by --local')
  return createClient(resolveConnection(options)).usage(node, query)
}

async function askAgent(url: string, { subject, minutes }: UsageQuery): Promise<UsageAnswer> {
  const path = `/usage?${new URLSearchParams({ subject, minutes: String(minutes) })}`
  let reply: Response
  try {
    reply = await fetch(url + path, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    const remedy = 'does it run? Another address is given by --agent'
    throw new StarlingError(`no agent answers at ${url}: ${messageOf((cause as Error).cause ?? cause)}`, {
      remedy,
      cause,
    })
  }
  const answer = usageAnswerSchema.safeParse(await reply.json().catch(() => undefined))
  if (answer.success) return answer.data
  throw new StarlingError(`what answers at ${url} is no agent that knows of usage`, { remedy: 'check --agent' })
}

const HEADING: Readonly<Record<FigureName, string>> = {
  cpu: 'processor',
  memory: 'memory',
  read: 'disk read',
  written: 'disk written',
  received: 'net received',
  sent: 'net sent',
}

/** A line for each figure: its course, its least and most, and what it is now. */
export function picture({ node, from, to, step, held, subjects }: UsageAnswer): string {
  if (from === null || to === null) return `${printable(node)}: nothing is known yet; its agent has just started\n`
  const each = step === 1 ? 'one column a minute' : `one column ${step} minutes`
  const lines = [`${node}, ${localTime(from)} to ${localTime(to)}, ${each}; ${counted(held, 'subject')}`]
  for (const { name, figures } of subjects) {
    lines.push('', name)
    for (const figure of FIGURES) {
      const values = figures[figure] ?? []
      const known = values.filter((value) => value !== null)
      const last = known.at(-1)
      if (last === undefined) continue
      const range = `${shownFigure(figure, Math.min(...known))} to ${shownFigure(figure, Math.max(...known))}`
      lines.push(`  ${HEADING[figure].padEnd(13)}${sparkline(values)}  ${range}, now ${shownFigure(figure, last)}`)
    }
  }
  if (subjects.length === 0) lines.push('', 'nothing of that name was seen')
  return lines.map((line) => `${printable(line)}\n`).join('')
}
