/** The command line of the benches, apart from the process that it runs in. */
import { parseArgs } from 'node:util'
import { ExitCode, messageOf, StarlingError, UsageError } from '../common/errors.ts'
import { nearest } from '../common/nearest.ts'
import type { Bench, OptionValue } from './bench.ts'
import { renderReport, thisMachine } from './report.ts'

export interface Output {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

const USAGE = 'npm run -s bench -- NAME [--json] [--OPTION VALUE ...]'

/**
 * Runs the bench that `argv` names and writes its report to stdout. Returns the exit code: 0 whether or not targets are
 * met, since a figure is not a verdict; 2 when it was called wrongly, 1 when the bench says why it cannot run. Throws
 * whatever else the bench throws.
 */
export async function runBenchCommand(
  argv: readonly string[],
  benches: readonly Bench[],
  output: Output,
): Promise<ExitCode> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help') {
    output.stdout.write(listing(benches))
    return ExitCode.ok
  }
  try {
    const bench = findBench(name, benches)
    const { json, help, values } = parseOptions(bench, rest)
    if (help) {
      output.stdout.write(describe(bench))
      return ExitCode.ok
    }
    const outcome = await bench.run(values, (text) => output.stderr.write(`${bench.name}: ${text}\n`))
    const { settings, results, targets } = outcome
    const report = { bench: bench.name, settings, machine: thisMachine(), results, targets }
    output.stdout.write(json ? `${JSON.stringify(report)}\n` : renderReport(report, output.stdout))
    return ExitCode.ok
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    output.stderr.write(`${error.message}\n`)
    if (error.remedy !== undefined) output.stderr.write(`${error.remedy}\n`)
    return error.exitCode
  }
}

function findBench(name: string, benches: readonly Bench[]): Bench {
  const found = benches.find((bench) => bench.name === name)
  if (found !== undefined) return found
  const names = benches.map((bench) => bench.name)
  const meant = nearest(name, names)
  const remedy = meant === undefined ? `there are: ${names.join(', ') || 'none'}` : `did you mean "${meant}"?`
  throw new UsageError(`there is no bench "${name}"`, remedy)
}

function parseOptions(bench: Bench, args: readonly string[]) {
  const flags = Object.entries(bench.options).map(([name, option]) => {
    const type = typeof option.default === 'boolean' ? ('boolean' as const) : ('string' as const)
    return [name, { type }] as const
  })
  const own = { json: { type: 'boolean' as const }, help: { type: 'boolean' as const } }
  let parsed: Record<string, unknown>
  try {
    parsed = parseArgs({ args: [...args], options: { ...Object.fromEntries(flags), ...own } }).values
  } catch (error) {
    throw new UsageError(`${bench.name}: ${messageOf(error)}`, `npm run -s bench -- ${bench.name} --help`)
  }
  const values = Object.entries(bench.options).map(([name, option]) => {
    const given = parsed[name] as string | boolean | undefined
    return [name, given === undefined ? option.default : readValue(`--${name}`, given, option.default)] as const
  })
  return { json: parsed.json === true, help: parsed.help === true, values: Object.fromEntries(values) }
}

function readValue(flag: string, given: string | boolean, fallback: OptionValue): OptionValue {
  if (typeof fallback !== 'number') return given
  const figure = given === '' ? Number.NaN : Number(given)
  if (!Number.isFinite(figure)) throw new UsageError(`${flag} takes a number, not "${given}"`)
  return figure
}

function listing(benches: readonly Bench[]): string {
  const width = Math.max(0, ...benches.map((bench) => bench.name.length))
  const lines = benches.map((bench) => `  ${bench.name.padEnd(width)}  ${bench.summary}`)
  return [`usage: ${USAGE}`, '', ...(lines.length > 0 ? lines : ['  there are no benches yet']), ''].join('\n')
}

function describe(bench: Bench): string {
  const options = Object.entries(bench.options).map(
    ([name, option]) => `  --${name}  ${option.summary} (default ${option.default})`,
  )
  return [`${bench.name}: ${bench.summary}`, '', ...options, '  --json  one JSON object instead of a table', ''].join(
    '\n',
  )
}
