/** How the settings stand, as people read it: a sentence or two, and what each node runs. */
import type { MemberView, Snapshot } from '../../aggregator/model.ts'
import { formatDuration } from '../../common/duration.ts'
import { ExitCode } from '../../common/errors.ts'
import { type Cell, table } from '../table.ts'
import { localTime, printable } from '../text.ts'

type Settings = Snapshot['settings']

export function statusLines(settings: Settings, members: readonly MemberView[]): string {
  const rows = members.map(({ node, state }): readonly Cell[] => {
    const runs = settings.applied[node]
    const wanted = wantedBy(settings, node)
    const refused = settings.refused[node]
    return [
      node,
      state === 'alive' ? state : { text: state, style: 'red' },
      runs === wanted ? String(runs) : { text: runs === undefined ? 'not known' : String(runs), style: 'yellow' },
      String(wanted),
      refused === undefined ? '' : { text: `version ${refused.version}: ${refused.why}`, style: 'red' },
    ]
  })
  const held = settings.held.map(({ detector, why }) => `Findings of ${detector} are held: ${why}.`)
  const lines = [...sentences(settings), ...held].map((line) => `${printable(line)}\n`)
  return `${lines.join('')}${table(['NODE', 'STATE', 'RUNS', 'IS TO RUN', 'REFUSED'], rows)}`
}

export function statusExit(settings: Settings, members: readonly MemberView[]): ExitCode {
  const { rollout, refused, applied, held } = settings
  if (rollout?.halted || held.length > 0 || Object.keys(refused).length > 0) return ExitCode.problem
  const isBehind = ({ node, state }: MemberView) => state === 'alive' && applied[node] !== wantedBy(settings, node)
  return members.some(isBehind) ? ExitCode.warnings : ExitCode.ok
}

function wantedBy({ version, rollout, applied }: Settings, node: string): number {
  if (rollout === null || !rollout.nodes.includes(node)) return version
  // One that took a version up before it was halted keeps it; nobody else does.
  return rollout.halted === null || applied[node] === rollout.version ? rollout.version : version
}

function sentences({ version, rollout, last }: Settings): readonly string[] {
  const inForce = `Settings version ${version} is in force.`
  if (rollout === null) {
    const how = last?.outcome === 'halted' ? `Version ${last.version} was halted: ${last.why}` : undefined
    return how === undefined ? [inForce] : [inForce, how]
  }
  const { nodes, of, halted, since, soakMs, stagesLeft } = rollout
  const reach = `Version ${rollout.version} is for ${nodes.length} of ${of} nodes`
  if (halted !== null)
    return [inForce, `${reach}, and halted: ${halted}`, 'To undo it: starling settings rollback --reason ...']
  const until = localTime(new Date(Date.parse(since) + soakMs).toISOString())
  const then = stagesLeft === 0 ? 'then it is in force' : `${stagesLeft} more to come`
  return [inForce, `${reach}, watched for ${formatDuration(soakMs)} until ${until}; ${then}.`]
}
