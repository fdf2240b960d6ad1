/** One simulated run as it is kept, a line of JSON; and many of them as the table that docs/results.md carries. */
import type { RunResult } from '../../mesh/sim/scenario/run.ts'
import { P99_SAMPLES_MIN, quantile, rateBound95 } from '../../mesh/sim/scenario/statistics.ts'

type Kept = Pick<
  RunResult,
  | 'scenario'
  | 'nodes'
  | 'seed'
  | 'minutes'
  | 'met'
  | 'reasons'
  | 'broken'
  | 'kills'
  | 'found'
  | 'falseVerdicts'
  | 'wrongAccusations'
  | 'nodeHours'
  | 'exposedNodeHours'
  | 'votesAgainstHealthy'
  | 'messagesPerMemberSecond'
>

export interface RunRecord extends Kept {
  readonly commit: string
  readonly protocol: number
  readonly detectionsMs: readonly number[]
  readonly wallSeconds: number
}

export function recordOf(
  { detections, moments: _, detection: __, falseVerdictBound: ___, incidents: ____, ...kept }: RunResult,
  about: Pick<RunRecord, 'commit' | 'protocol' | 'wallSeconds'>,
): RunRecord {
  const detectionsMs = detections.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [Math.round(tookMs)]))
  return { ...about, ...kept, detectionsMs }
}

/** What a scenario has come to, over all its runs. */
export interface Sum {
  readonly scenario: string
  readonly runs: number
  readonly met: number
  readonly due: number
  readonly detectionsMs: readonly number[]
  /** Runs that ended with a broken invariant. */
  readonly broken: number
  readonly falseVerdicts: number
  readonly exposedNodeHours: number
  readonly nodeHours: number
  readonly wallSeconds: number
  /** At index n: nodes of all runs against which n votes at a time were the most while nothing was wrong with them. */
  readonly votesAgainstHealthy: readonly number[]
}

export function sumOf(scenario: string, records: readonly RunRecord[]): Sum {
  const own = records.filter((record) => record.scenario === scenario)
  const total = (figure: (record: RunRecord) => number) => own.reduce((sum, record) => sum + figure(record), 0)
  return {
    scenario,
    runs: own.length,
    met: own.filter(({ met }) => met).length,
    due: total(({ kills }) => kills),
    detectionsMs: own.flatMap(({ detectionsMs }) => detectionsMs),
    broken: own.filter(({ broken }) => broken !== undefined).length,
    falseVerdicts: total(({ falseVerdicts }) => falseVerdicts.length),
    exposedNodeHours: total(({ exposedNodeHours }) => exposedNodeHours),
    nodeHours: total(({ nodeHours }) => nodeHours),
    wallSeconds: total(({ wallSeconds }) => wallSeconds),
    votesAgainstHealthy: addUp(own.map(({ votesAgainstHealthy }) => votesAgainstHealthy)),
  }
}

const HEADER = [
  'scenario',
  'outcome met',
  'broken',
  'hosts found',
  'median / p99 / worst, ms',
  'false',
  'exposed h',
  '95 % bound, 1/h',
  'nodes by most votes against them, 0 / 1 / 2 ...',
]

/** Rows of a Markdown table. */
export function markdown(sums: readonly Sum[]): string {
  const rows = sums.map((sum) => [
    sum.scenario,
    `${sum.met} of ${sum.runs}`,
    String(sum.broken),
    sum.due === 0 ? '' : `${sum.detectionsMs.length} of ${sum.due}`,
    detection(sum.detectionsMs),
    String(sum.falseVerdicts),
    sum.exposedNodeHours.toFixed(1),
    sum.exposedNodeHours === 0 ? '' : rateBound95(sum.falseVerdicts, sum.exposedNodeHours).toPrecision(2),
    sum.votesAgainstHealthy.join(' / '),
  ])
  return [HEADER, HEADER.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** Histograms, index by index. */
export function addUp(histograms: readonly (readonly number[])[]): readonly number[] {
  const length = Math.max(0, ...histograms.map((histogram) => histogram.length))
  return Array.from({ length }, (_, index) => histograms.reduce((sum, histogram) => sum + (histogram[index] ?? 0), 0))
}

function detection(took: readonly number[]): string {
  if (took.length === 0) return ''
  const p99 = took.length < P99_SAMPLES_MIN ? '-' : Math.round(quantile(took, 0.99))
  return `${Math.round(quantile(took, 0.5))} / ${p99} / ${Math.round(Math.max(...took))}`
}
