/**
 * Simulates every scenario with seed after seed: `npm run sim:all -- [--hours H] [--seeds A..B] [--scenario NAME,...]
 * [--out FILE]`. Each run becomes a line of JSON at the end of FILE; the table is over all lines of this protocol's version
 * that FILE holds. It ends with 3 when an outcome was not met.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { readScenario, scenarioNames } from '../../cli/sim/scenario-file.ts'
import { ExitCode, messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { PROTOCOL_VERSION } from '../../mesh/identity/keyring.ts'
import type { RunResult } from '../../mesh/sim/scenario/run.ts'
import { P99_SAMPLES_MIN } from '../../mesh/sim/scenario/statistics.ts'
import { markdown, type RunRecord, recordOf, sumOf } from './record.ts'
import type { Task } from './worker.ts'

/** Exposed node-hours that each scenario is to reach (docs/protocol.md section 8). */
const EXPOSED_HOURS = 3_000
const HOURS = 2
/** It must fail, so it says nothing about the mesh. */
const CANARY = 'canary'

interface Plan {
  readonly names: readonly string[]
  readonly seeds: { readonly from: number; readonly to: number }
  readonly endsAt: number
  readonly out: string | undefined
}

interface Answer {
  readonly result: RunResult
  readonly wallSeconds: number
}

async function main(argv: string[]): Promise<number> {
  const plan = planFrom(argv)
  const about = { commit: commit(), protocol: PROTOCOL_VERSION }
  const records = plan.out === undefined ? [] : recordsIn(plan.out)
  const before = records.length
  const nextTask = taskGiver(plan, records)
  const workers = Array.from({ length: availableParallelism() }, async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    for (let task = nextTask(); task !== undefined; task = nextTask()) {
      const { result, wallSeconds } = await answerOf(worker, task)
      const record = recordOf(result, { ...about, wallSeconds })
      records.push(record)
      if (plan.out !== undefined) appendFileSync(plan.out, `${JSON.stringify(record)}\n`)
      tell(record)
    }
    await worker.terminate()
  })
  await Promise.all(workers)
  process.stdout.write(markdown(plan.names.map((name) => sumOf(name, records)).filter(({ runs }) => runs > 0)))
  return records.slice(before).every(({ met }) => met) ? ExitCode.ok : ExitCode.problem
}

function planFrom(argv: string[]): Plan {
  const options = {
    hours: { type: 'string' },
    seeds: { type: 'string' },
    scenario: { type: 'string' },
    out: { type: 'string' },
  }
  let values: { hours?: string; seeds?: string; scenario?: string; out?: string }
  try {
    values = parseArgs({ args: argv, options: options as { [name: string]: { type: 'string' } } }).values
  } catch (error) {
    throw new UsageError(
      messageOf(error),
      'npm run sim:all -- [--hours H] [--seeds A..B] [--scenario NAME,...] [--out FILE]',
    )
  }
  const names = values.scenario?.split(',') ?? scenarioNames().filter((name) => name !== CANARY)
  // Says at once what is wrong with one, not after an hour.
  for (const name of names) readScenario(name)
  const seeds = /^(\d+)\.\.(\d+)$/.exec(values.seeds ?? '1..1000000')
  if (seeds === null) throw new UsageError(`--seeds takes A..B, not "${values.seeds}"`)
  const hours = Number(values.hours ?? (values.seeds === undefined ? HOURS : 1_000))
  if (!(hours > 0)) throw new UsageError(`--hours takes a number above 0, not "${values.hours}"`)
  const endsAt = performance.now() + hours * 3_600_000
  return { names, seeds: { from: Number(seeds[1]), to: Number(seeds[2]) }, endsAt, out: values.out }
}

/** Gives the next run of the scenario that has come the least far; undefined when all is done, or the time is over. */
function taskGiver({ names, seeds, endsAt }: Plan, records: readonly RunRecord[]): () => Task | undefined {
  const nextSeeds = new Map(names.map((scenario) => [scenario, firstSeed(scenario, seeds.from, records)]))
  return () => {
    if (performance.now() >= endsAt) return undefined
    const open = names.filter((name) => (nextSeeds.get(name) ?? 0) <= seeds.to && progressOf(name, records) < 1)
    const [scenario] = open.toSorted((a, b) => wallOf(a, nextSeeds, records) - wallOf(b, nextSeeds, records))
    if (scenario === undefined) return undefined
    const seed = nextSeeds.get(scenario) ?? seeds.from
    nextSeeds.set(scenario, seed + 1)
    return { scenario, seed }
  }
}

/** Time that a scenario has had, with what is under way: all get the same. */
function wallOf(name: string, nextSeeds: ReadonlyMap<string, number>, records: readonly RunRecord[]): number {
  const { runs, wallSeconds } = sumOf(name, records)
  const given = (nextSeeds.get(name) ?? 0) - firstSeed(name, 1, [])
  return wallSeconds + Math.max(0, given - runs) * (runs === 0 ? 1 : wallSeconds / runs)
}

/** Seeds that the file has already are not run again. */
function firstSeed(name: string, from: number, records: readonly RunRecord[]): number {
  return Math.max(from, ...records.filter(({ scenario }) => scenario === name).map(({ seed }) => seed + 1))
}

/** What is to be marked is done after enough samples, what is not after enough hours. */
function progressOf(name: string, records: readonly RunRecord[]): number {
  const { exposedNodeHours, detectionsMs } = sumOf(name, records)
  const hasToMark = readScenario(name).outcome.marked.length > 0
  return hasToMark ? detectionsMs.length / P99_SAMPLES_MIN : exposedNodeHours / EXPOSED_HOURS
}

function answerOf(worker: Worker, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const end = () => {
      worker.off('message', answered)
      worker.off('error', failed)
    }
    const answered = (answer: Answer) => {
      end()
      resolve(answer)
    }
    const failed = (error: unknown) => {
      end()
      reject(error)
    }
    worker.on('message', answered)
    worker.on('error', failed)
    worker.postMessage(task)
  })
}

function tell({ scenario, seed, met, broken, reasons, exposedNodeHours, wallSeconds }: RunRecord): void {
  const why = broken === undefined ? reasons[0] : `${broken.invariant}: ${broken.node}: ${broken.seen}`
  const outcome = met ? 'met' : `NOT met: ${why}`
  const figures = `${exposedNodeHours.toFixed(1)} exposed h in ${wallSeconds.toFixed(1)} s`
  process.stderr.write(`${scenario} seed ${seed}: ${outcome} (${figures})\n`)
}

function recordsIn(file: string): RunRecord[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  const records = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RunRecord)
  return records.filter(({ protocol }) => protocol === PROTOCOL_VERSION)
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+')
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StarlingError)) throw error
  process.stderr.write(`${error.message}\n${error.remedy ?? ''}\n`)
  process.exitCode = error.exitCode
}
