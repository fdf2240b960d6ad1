/**
 * Many simulated runs: every scenario with seed after seed, on all processors, until each has come far enough or the time is
 * over. Each run is kept as a line of JSON, so that later campaigns go on where this one ended.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { readScenario, scenarioNames } from '../../cli/sim/scenario-file.ts'
import { UsageError } from '../../common/errors.ts'
import { PROTOCOL_VERSION } from '../../mesh/identity/keyring.ts'
import type { RunResult } from '../../mesh/sim/scenario/run.ts'
import { P99_SAMPLES_MIN } from '../../mesh/sim/scenario/statistics.ts'
import { type RunRecord, recordOf, sumOf } from './record.ts'
import type { Task } from './worker.ts'

/** Exposed node-hours that each scenario is to reach (docs/protocol.md section 8). */
export const EXPOSED_HOURS = 3_000
/** It must fail, so it says nothing about the mesh. */
const CANARY = 'canary'

export interface Campaign {
  readonly names: readonly string[]
  readonly seeds: { readonly from: number; readonly to: number }
  readonly hours: number
  /** Where the runs are kept; undefined: nowhere. */
  readonly out: string | undefined
}

/**
 * `scenarios`: names separated by commas; undefined: all but the canary. `seeds`: `A..B`; undefined: all that the time allows.
 * Throws a UsageError naming what cannot be run.
 */
export function campaignOf(options: {
  readonly scenarios: string | undefined
  readonly seeds: string | undefined
  readonly hours: number
  readonly out: string | undefined
}): Campaign {
  const { hours, out } = options
  const names = options.scenarios?.split(',') ?? scenarioNames().filter((name) => name !== CANARY)
  // Says at once what is wrong with one, not after an hour.
  for (const name of names) readScenario(name)
  const seeds = /^(\d+)\.\.(\d+)$/.exec(options.seeds ?? '1..1000000')
  if (seeds === null) throw new UsageError(`seeds are given as A..B, not "${options.seeds}"`, 'for example 1..20')
  if (!(hours > 0)) throw new UsageError(`hours must be a number above 0, not "${hours}"`, 'for example 0.5')
  return { names, seeds: { from: Number(seeds[1]), to: Number(seeds[2]) }, hours, out }
}

interface Answer {
  readonly result: RunResult
  readonly wallSeconds: number
}

/** All runs that are kept, with those of this campaign, `done` of them. */
export interface Harvest {
  readonly records: readonly RunRecord[]
  readonly done: readonly RunRecord[]
}

/** `tell` is called after each run. */
export async function runCampaign(campaign: Campaign, tell: (record: RunRecord) => void): Promise<Harvest> {
  const about = { commit: commit(), protocol: PROTOCOL_VERSION }
  const records = campaign.out === undefined ? [] : recordsIn(campaign.out)
  const before = records.length
  const nextTask = taskGiver(campaign, records)
  const workers = Array.from({ length: availableParallelism() }, async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    for (let task = nextTask(); task !== undefined; task = nextTask()) {
      const { result, wallSeconds } = await answerOf(worker, task)
      const record = recordOf(result, { ...about, wallSeconds })
      records.push(record)
      if (campaign.out !== undefined) appendFileSync(campaign.out, `${JSON.stringify(record)}\n`)
      tell(record)
    }
    await worker.terminate()
  })
  await Promise.all(workers)
  return { records, done: records.slice(before) }
}

/** One line about one run. */
export function lineOf({ scenario, seed, met, broken, reasons, exposedNodeHours, wallSeconds }: RunRecord): string {
  const why = broken === undefined ? reasons[0] : `${broken.invariant}: ${broken.node}: ${broken.seen}`
  const outcome = met ? 'met' : `NOT met: ${why}`
  const figures = `${exposedNodeHours.toFixed(1)} exposed h in ${wallSeconds.toFixed(1)} s`
  return `${scenario} seed ${seed}: ${outcome} (${figures})`
}

/** Gives the next run of the scenario that has come the least far; undefined when all is done, or the time is over. */
function taskGiver({ names, seeds, hours }: Campaign, records: readonly RunRecord[]): () => Task | undefined {
  const endsAt = performance.now() + hours * 3_600_000
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
