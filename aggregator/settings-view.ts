/** The settings as people are shown them. */
import type { AppliedSettings } from '../settings/notes.ts'
import { isReached, type Placed, stagesOf } from '../settings/stages.ts'
import type { RolloutView, SettingsView } from './settings-model.ts'
import type { Progress } from './settings-progress.ts'

export function settingsView(
  progress: Progress,
  members: readonly Placed[],
  applied: ReadonlyMap<string, AppliedSettings>,
  held: SettingsView['held'],
): SettingsView {
  const said = [...applied]
  return {
    version: progress.said.current.version,
    applied: Object.fromEntries(said.map(([node, { version }]) => [node, version])),
    refused: Object.fromEntries(
      said.flatMap(([node, { refused }]) => (refused === undefined ? [] : [[node, refused]])),
    ),
    rollout: rolloutView(progress, members),
    held,
    last: progress.last,
  }
}

function rolloutView({ said: { next }, since }: Progress, members: readonly Placed[]): RolloutView | null {
  if (next === null) return null
  const { version, reach, seed, shares, soakMs, halted } = next
  const reached = members.filter((member) => isReached(reach, seed, member))
  const later = stagesOf(members, shares, seed).filter((stage) => {
    return stage === null || members.some((member) => isReached(stage, seed, member) && !reached.includes(member))
  })
  return {
    version,
    nodes: reached.map(({ node }) => node),
    of: members.length,
    stagesLeft: reach === null ? 0 : later.length,
    since: new Date(since).toISOString(),
    soakMs,
    halted,
  }
}
