import { type Command, InvalidArgumentError } from 'commander'
import { ExitCode, messageOf, UsageError } from '../../common/errors.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'

interface SimOptions {
  readonly scenario?: string
  readonly list?: boolean
  readonly nodes?: number
  readonly seed: number
  readonly minutes?: number
  readonly against?: string
  readonly json?: boolean
  readonly output: OutputFormat
}

const NODES_MAX = 20_000

export function registerSim(program: Command): void {
  const command = program
    .command('sim')
    .description('simulates a mesh under a scenario of faults, and checks what it owes')
    .option('--scenario <name|file>', 'what is staged; --list has the names')
    .option('--list', 'lists the scenarios that come with Starling')
    .option('--nodes <n>', `members of the mesh, 2 to ${NODES_MAX}`, whole)
    .option('--seed <n>', 'the same seed gives the same run', whole, 1)
    .option('--minutes <m>', 'how long, simulated', positive)
    .option('--against <names>', 'runs others under the same faults and sets them beside it: swim, lifeguard, or both')
    .option('--json', 'the same as -o json')
    .addHelpText('after', '\nExit codes: 0 the outcome is met, 3 it is not or an invariant broke, 1 error, 2 usage')
    .action(async (options: SimOptions) => {
      // Only here, as in agent.ts.
      const { readScenario, scenarioNames } = await import('../sim/scenario-file.ts')
      if (options.list === true) {
        print(
          table(
            ['SCENARIO', 'STAGES'],
            scenarioNames().map((name) => [name, readScenario(name).stages]),
          ),
        )
        return
      }
      if (options.scenario === undefined) throw new UsageError('no scenario is given', 'give --scenario, or --list')
      const scenario = readScenario(options.scenario)
      const { runScenario } = await import('../../mesh/sim/scenario/run.ts')
      const { progressOn } = await import('../sim/progress.ts')
      const { comparison, report, replayLine } = await import('../sim/report.ts')
      const { nodes = scenario.nodes, seed, minutes = scenario.minutes } = options
      if (nodes < 2 || nodes > NODES_MAX) throw new UsageError(`--nodes must be 2 to ${NODES_MAX}, not ${nodes}`)
      const { RIVALS, armOf, runRival } = await import('../../mesh/sim/scenario/compare.ts')
      const rivals = chosenAmong(RIVALS, options.against)
      const progress = progressOn(process.stderr, scenario.name)
      const startedAt = performance.now()
      const result = orExplain(() => runScenario({ scenario, nodes, seed, minutes, onProgress: progress.show }))
      const wallSeconds = (performance.now() - startedAt) / 1_000
      const run = { scenario, nodes, seed, minutes, onProgress: progress.show }
      const others = rivals.map((rival) => runRival(rival, run))
      progress.end()
      if (options.json === true || options.output === 'json') {
        const arms = others.length === 0 ? {} : { arms: [armOf(result), ...others] }
        printJson('SimulationList', [{ ...result, wallSeconds, replay: replayLine(result), ...arms }])
      } else {
        print(report(scenario, result, wallSeconds))
        if (others.length > 0) print(`\n${comparison([armOf(result), ...others])}`)
      }
      if (!result.met) process.exitCode = ExitCode.problem
    })
  addOutputOption(command)
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('it must be a whole number above 0.')
}

function positive(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('it must be a number above 0.')
}

function chosenAmong<T extends string>(names: readonly T[], given: string | undefined): readonly T[] {
  return (given ?? '').split(',').flatMap((word) => {
    if (word === '') return []
    const known = names.find((name) => name === word)
    if (known === undefined) throw new UsageError(`--against does not know "${word}"`, `there are: ${names.join(', ')}`)
    return [known]
  })
}

function orExplain<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof RangeError) throw new UsageError(messageOf(cause), 'give more --nodes, or change the scenario')
    throw cause
  }
}
