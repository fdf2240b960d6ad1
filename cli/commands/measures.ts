import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationMs, isDuration } from '../../common/duration.ts'
import { means, sparkline } from '../../detectors/usage/answer.ts'
import { HOUR_MS, MEASURE_NAMES } from '../../inspection/measure-words.ts'
import { type HourOfMeasures, MEASURES, type MeasureName, type Measures } from '../../inspection/measures.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { type Cell, table } from '../table.ts'

const WEEK = '7d'
/** Columns of the course of a measure. */
const COLUMNS_MAX = 42
const YEAR_MS = durationMs('365d')

interface MeasuresOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly since: number
}

export function registerMeasures(program: Command): void {
  const command = program
    .command('measures')
    .description('the measures of a node: averages of each hour, and of the last five minutes')
    .argument('<node>', 'name of the node')
    .addOption(
      new Option('--since <length>', 'how far back, as 12h or 7d, up to 365d')
        .argParser(parseLength)
        .default(durationMs(WEEK), WEEK),
    )
    .action(async (node: string, { since, output, ...connection }: MeasuresOptions) => {
      const client = createClient(resolveConnection(connection))
      const now = Date.now()
      const from = new Date(now - since).toISOString()
      // One after the other: whoever names a node wrongly is told so once.
      const hours = await client.measures(node, from)
      const latest = await client.latestMeasures(node)
      if (output === 'json') {
        printJson('Measures', [{ node, hours, latest: latest ?? null }])
        return
      }
      print(measuresTable(hours, latest?.averages ?? {}, { fromMs: now - since, untilMs: now }))
      if (hours.length === 0) note(`no hour of ${node} is known yet; an hour is written when it is over`)
      if (latest === undefined) note(`${node} said nothing in the last five minutes`)
    })
  addOutputOption(addConnectionOptions(command))
}

/** A line for each measure of which anything is known: its course, its least and most and mean of an hour, and what it is now. */
export function measuresTable(
  hours: readonly HourOfMeasures[],
  latest: Measures,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): string {
  const first = Math.ceil(fromMs / HOUR_MS)
  const count = Math.max(1, Math.floor(untilMs / HOUR_MS) - first)
  const byHour = new Map(hours.map(({ hour, averages }) => [Date.parse(hour) / HOUR_MS, averages]))
  const step = Math.ceil(count / COLUMNS_MAX)
  const rows = MEASURE_NAMES.flatMap((name): (readonly Cell[])[] => {
    const values = Array.from({ length: count }, (_, index) => byHour.get(first + index)?.[name])
    const known = values.filter((value) => value !== undefined)
    const now = latest[name]
    if (known.length === 0 && now === undefined) return []
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length
    const course = sparkline(means(values, step), isPercentage(name) ? 100 : undefined)
    const figures = known.length === 0 ? [undefined, undefined, undefined] : [least(known), most(known), mean]
    return [[name, course, ...[...figures, now].map((value) => (value === undefined ? '-' : shown(name, value)))]]
  })
  return table(['MEASURE', step === 1 ? 'EACH HOUR' : `EACH ${step} HOURS`, 'LEAST', 'MOST', 'MEAN', 'NOW'], rows)
}

function shown(name: MeasureName, value: number): string {
  if (isPercentage(name)) return `${value.toFixed(1)} %`
  if (name === 'load') return value.toFixed(2)
  if (value < 1) return `${Math.round(value)} B/s`
  const power = Math.min(4, Math.floor(Math.log(value) / Math.log(1024)))
  return `${(value / 1024 ** power).toPrecision(3)} ${['', 'Ki', 'Mi', 'Gi', 'Ti'][power]}B/s`
}

const isPercentage = (name: MeasureName) => MEASURES[name].startsWith('%')
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b))
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b))

function parseLength(text: string): number {
  if (isDuration(text) && durationMs(text) > 0 && durationMs(text) <= YEAR_MS) return durationMs(text)
  throw new InvalidArgumentError('Give a length of time, as 12h or 7d, up to 365d.')
}
