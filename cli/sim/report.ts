/** A simulated run, as people read it. */
import type { ArmResult } from '../../mesh/sim/scenario/compare.ts'
import type { RunResult } from '../../mesh/sim/scenario/run.ts'
import type { Scenario } from '../../mesh/sim/scenario/schema.ts'
import { table } from '../table.ts'

const BAR_CELLS = 40
const MOMENTS_SHOWN = 30

export function report(scenario: Scenario, result: RunResult, wallSeconds: number): string {
  const { nodes, seed, minutes, met, reasons, broken } = result
  const head = [
    `${scenario.name}: ${scenario.stages}`,
    `required: ${scenario.requires}`,
    `${nodes} nodes, seed ${seed}, ${minutes} min simulated in ${wallSeconds.toFixed(1)} s`,
  ]
  const parts = [
    head.join('\n'),
    table(['WHAT', 'FIGURE'], figures(result, wallSeconds)),
    ...chart('detection, ms', histogram(result), 'hosts'),
    ...chart('most votes at a time against a healthy node', votes(result), 'nodes'),
    ...timeline(result),
    ...(broken === undefined
      ? []
      : [`invariant broken: ${broken.invariant}\n  ${seconds(broken.atMs)} ${broken.node}: ${broken.seen}\n`]),
    ...(reasons.length === 0 ? [] : [`${reasons.map((reason) => `- ${reason}\n`).join('')}`]),
    met ? 'outcome: met\n' : `outcome: NOT met\nreplay: ${replayLine(result)}\n`,
  ]
  return parts.join('\n')
}

/** What runs the very same again. */
export function replayLine({ scenario, nodes, seed, minutes }: RunResult): string {
  return `starling sim --scenario ${scenario} --nodes ${nodes} --seed ${seed} --minutes ${minutes}`
}

/** The arms side by side. */
export function comparison(arms: readonly ArmResult[]): string {
  const row = (name: string, cell: (arm: ArmResult) => string) => [name, ...arms.map(cell)]
  return table(
    ['SIDE BY SIDE', ...arms.map(({ arm }) => arm)],
    [
      row('detection, median', ({ detection }) => milliseconds(detection.p50)),
      row('detection, worst', ({ detection }) => milliseconds(detection.worst)),
      row('found', ({ found, due }) => `${found} of ${due}`),
      row('false deaths of healthy members', ({ falseDeaths }) => String(falseDeaths)),
      row('healthy members held dead', ({ heldDead }) => String(heldDead)),
      row('members disagreed about in the end', ({ disagreement }) => String(disagreement)),
      row('messages a member and second', ({ messagesPerMemberSecond }) => messagesPerMemberSecond.toFixed(1)),
    ],
  )
}

function figures(result: RunResult, wallSeconds: number): readonly (readonly string[])[] {
  const { p50, p99, worst } = result.detection
  const { falseVerdictBound: bound } = result
  const incidents = Object.entries(result.incidents).map(([kind, count]) => [kind, String(count)])
  return [
    ['hosts that had to be found', String(result.kills)],
    ['found', result.kills === 0 ? '' : `${result.found} (${((100 * result.found) / result.kills).toFixed(1)} %)`],
    ['detection, median', milliseconds(p50)],
    ['detection, 99th percentile', milliseconds(p99)],
    ['detection, worst', milliseconds(worst)],
    ['false verdicts', String(result.falseVerdicts.length)],
    ['accusations of healthy nodes', String(result.wrongAccusations)],
    ['exposed node-hours', result.exposedNodeHours.toFixed(2)],
    ['false verdicts an exposed node-hour, 95 % bound', bound === null ? '' : bound.toPrecision(2)],
    ['messages a member and second', result.messagesPerMemberSecond.toFixed(1)],
    ['simulated node-hours a second', (result.nodeHours / wallSeconds).toFixed(2)],
    ...incidents,
  ]
}

function histogram({ detections }: RunResult): readonly (readonly [string, number])[] {
  const took = detections.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs]))
  if (took.length === 0) return []
  const width = Math.max(...took) - Math.min(...took) > 5_000 ? 2_000 : 250
  const first = Math.floor(Math.min(...took) / width)
  const last = Math.floor(Math.max(...took) / width)
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const low = (first + index) * width
    return [`${low}-${low + width}`, took.filter((ms) => Math.floor(ms / width) === first + index).length] as const
  })
}

function votes({ votesAgainstHealthy }: RunResult): readonly (readonly [string, number])[] {
  return votesAgainstHealthy.map((count, most) => [String(most), count] as const)
}

function chart(title: string, bars: readonly (readonly [string, number])[], unit: string): readonly string[] {
  if (bars.length === 0) return []
  const most = Math.max(1, ...bars.map(([, count]) => count))
  const rows = bars.map(([label, count]) => {
    return [label, String(count), '█'.repeat(Math.ceil((count / most) * BAR_CELLS)) || ' ']
  })
  return [table([title, unit, ''], rows)]
}

function timeline({ moments }: RunResult): readonly string[] {
  if (moments.length === 0) return []
  const rest = moments.length - MOMENTS_SHOWN
  const rows = moments.slice(0, MOMENTS_SHOWN).map(({ atMs, what }) => [seconds(atMs), what])
  return [`${table(['TIME', 'EVENT'], rows)}${rest > 0 ? `${rest} more\n` : ''}`]
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '' : `${Math.round(ms)} ms`
}
